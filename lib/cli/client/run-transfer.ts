import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { digestAll } from "../../client/digests.ts";
import { gone } from "../../client/left-out.ts";
import type { TransferItem, TransferOptions } from "../../client/transfer.ts";
import { CommError, ERRORS, toCommError } from "../../errors.ts";
import type { DigestResult } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { systemClock } from "../../session/clock.ts";
import { digest64 } from "../../storage/digest64.ts";
import type { ExistsPolicy, OpenFile } from "../../storage/storage.ts";
import { digestFile } from "../../transfer/digest-file.ts";
import { Conflicts } from "./conflicts.ts";
import { type Done, KEPT, KEPT_WHEN_LOST, type TransferTerms, type TransferView } from "./transfer-view.ts";

/** What `get` and `put` are asked for alike. */
export interface TransferRequest {
  readonly sources: readonly string[];
  readonly exists: ExistsPolicy;
  /** Compare SHA-256 afterwards. */
  readonly digest: boolean;
  /** What is left out makes it incomplete. */
  readonly strict: boolean;
  readonly json: boolean;
}

/** A Download or an Upload. */
interface Transfer {
  run(client: Client): Promise<void>;
  close(): Promise<void>;
}

export interface TransferRunOptions<Item extends TransferItem> {
  readonly connection: Connection;
  readonly request: TransferRequest;
  readonly terms: TransferTerms;
  readonly view: TransferView;
  /** What is sent counts as progress when the server says that it has it, and what is fetched when it is verified. */
  readonly isSending: boolean;
  /** The file on this machine, and its path at the server, when it has moved to `path`. */
  openLocal(item: Item, path: string): Promise<OpenFile>;
  remotePath(item: Item, path: string): string;
}

/** A file that has moved, whose digests are to be compared. */
interface Check<Item> {
  readonly item: Item;
  readonly done: Done;
}

/** One `get` or `put`: carries it out, compares digests, asks about conflicts, and tells how it goes. */
export class TransferRun<Item extends TransferItem> {
  readonly #options: TransferRunOptions<Item>;
  readonly #conflicts: Conflicts<Item>;
  /** Files whose digests are compared when all have moved. */
  readonly #checks: Check<Item>[] = [];
  /** The most that the server said to have of a file that is sent. */
  readonly #acknowledged = new WeakMap<Item, number>();

  constructor(options: TransferRunOptions<Item>) {
    this.#options = options;
    const { request, terms } = options;
    this.#conflicts = new Conflicts(request.exists === "fail" ? terms.ask : undefined);
  }

  /** What the Download or Upload is made with. */
  get transferOptions(): TransferOptions<Item> {
    const { connection, request, terms, view, isSending } = this.#options;
    return {
      exists: request.exists,
      clock: systemClock,
      digest64,
      signal: terms.signal,
      onStart: (item, present, size) => {
        if (isSending) this.#acknowledge(item, present);
        view.onStart(item, present, size);
      },
      onProgress(item, bytes) {
        if (!isSending) connection.noteProgress();
        view.onProgress(item, bytes);
      },
      onRestart: (item) => view.onRestart(item),
      onDone: (item, outcome, path, size) => {
        if (isSending) connection.noteProgress();
        const isCompared = request.digest && item.kind === "file" && outcome !== "skipped";
        if (isCompared) this.#checks.push({ item, done: { outcome, path, size } });
        else view.onDone(item, { outcome, path, size });
      },
      onGone: (item, error) => view.onLeftOut(gone(item.from, error), item),
      onFailed: (item, error) => {
        if (!this.#conflicts.collect(item, error)) view.onFailed(item, error);
      },
    };
  }

  #acknowledge(item: Item, present: number): void {
    if (present <= (this.#acknowledged.get(item) ?? 0)) return;
    this.#acknowledged.set(item, present);
    this.#options.connection.noteProgress();
  }

  /**
   * Carry it out; with `again` once more, when the person allows to replace the files that exist.
   *
   * @returns the exit code of the first failure
   * @throws as Connection.persist()
   */
  async run(transfer: Transfer, again: (existing: readonly Item[]) => Promise<number>): Promise<number> {
    const { connection, terms, view } = this.#options;
    try {
      await connection.persist((client) => transfer.run(client));
      await this.#verify();
    } catch (error) {
      if (terms.signal.aborted) view.note(KEPT);
      else if (ERRORS[toCommError(error).code].unreachable) view.note(KEPT_WHEN_LOST);
      this.#conflicts.tell(view);
      await view.finish();
      throw error;
    } finally {
      await transfer.close();
    }
    if (this.#conflicts.count > 0) {
      view.hideProgress();
      if (await this.#conflicts.isAllowed()) return again(this.#conflicts.items);
      this.#conflicts.tell(view);
    }
    await view.finish();
    return view.exit;
  }

  /** Compare the digests of both ends, and tell what has become of the files. @throws CommError INTERRUPTED */
  async #verify(): Promise<void> {
    const { connection, terms, view, remotePath } = this.#options;
    // Several files may have come of one of the server's.
    const left = new Map<string, Check<Item>[]>();
    for (const check of this.#checks.splice(0)) {
      const path = remotePath(check.item, check.done.path);
      const sharing = left.get(path);
      if (sharing === undefined) left.set(path, [check]);
      else sharing.push(check);
    }
    const told = (path: string): readonly Check<Item>[] => {
      const checks = left.get(path) ?? [];
      left.delete(path);
      const [next] = left.values();
      if (next?.[0] !== undefined) view.phase(next[0].item, "verifying");
      return checks;
    };
    try {
      await connection.persist((client) =>
        digestAll(client, [...left.keys()], {
          clock: systemClock,
          digest64,
          signal: terms.signal,
          onDigest: async (path, theirs) => {
            connection.noteProgress();
            for (const { item, done } of told(path)) {
              await this.#compareDigests(item, done.path, path, theirs)
                .then((sha256) => view.onDone(item, { ...done, sha256 }))
                .catch((thrown) => view.onFailed(item, toCommError(thrown)));
            }
          },
          onFailed(path, error) {
            for (const { item } of told(path)) view.onFailed(item, error);
          },
        }),
      );
    } catch (thrown) {
      const error = toCommError(thrown);
      if (error.code === "INTERRUPTED") throw error;
      for (const checks of left.values()) for (const { item } of checks) view.onFailed(item, error);
    }
  }

  /** @returns the SHA-256 that both ends have @throws CommError DIGEST_MISMATCH */
  async #compareDigests(item: Item, path: string, remote: string, theirs: DigestResult): Promise<string> {
    const file = await this.#options.openLocal(item, path);
    try {
      const ours = await digestFile(file, new Bun.CryptoHasher("sha256"));
      if (theirs.sha256 === ours) return ours;
      const names = `${quote(file.entry.path)} has another SHA-256 than ${quote(remote)} at the server.`;
      throw new CommError("DIGEST_MISMATCH", names);
    } finally {
      await file.close();
    }
  }
}
