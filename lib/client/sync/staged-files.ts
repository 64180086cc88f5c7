import type { Digest64 } from "../../block.ts";
import { CommError, toCommError } from "../../errors.ts";
import { joinPath } from "../../path.ts";
import { quote } from "../../quote.ts";
import type { Clock } from "../../session/clock.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Sha256 } from "../../transfer/digest-file.ts";
import type { Connection } from "../connection.ts";
import { compareDigests } from "../digest-check.ts";
import { stagedPath } from "./staged-name.ts";
import type { SyncTarget } from "./sync-target.ts";

/** A staged file that an interrupted run has left at the target, and the path of the source that it was made of. */
export interface LeftStaged {
  readonly path: string;
  readonly owner: string;
}

export interface StagedFilesTerms {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly digest64: Digest64;
  readonly signal: AbortSignal;
  readonly isSending: boolean;
  readonly here: Pick<Storage, "open" | "stat">;
  /** The folder of the repository; "" is its root. */
  readonly root: string;
  readonly target: SyncTarget;
  /** As SyncRules. */
  readonly rules: { readonly comparesContent: boolean; readonly setsAside: boolean };
  sha256(): Sha256;
}

/**
 * Files of a mirror that come under another name beside their place, because the file at their place is moved away
 * first, or looks the same by its size and time. A staged file is whole. A run that is killed may leave it: before the
 * old file was moved away, or after that. The next run stages the file again, which moves no bytes if it is still that
 * of the source, and gives it its place.
 */
export class StagedFiles {
  readonly #terms: StagedFilesTerms;
  readonly #placing = new Set<Promise<void>>();
  /** What waits until one of those under way has its place. */
  readonly #waiting: (() => void)[] = [];
  #isStopped = false;

  constructor(terms: StagedFilesTerms) {
    this.#terms = terms;
  }

  /**
   * Give the staged file for `path` its place. `wasThere`: it is of an earlier run, and was taken for the same by its
   * size and time. After stop() it stays as it is.
   */
  place(path: string, wasThere: boolean, onPlaced: () => void, onFailed: (error: CommError) => void): void {
    const begin = () => {
      const placing = this.#place(path, wasThere)
        .then(onPlaced, (thrown) => onFailed(toCommError(thrown)))
        .finally(() => {
          this.#placing.delete(placing);
          this.#waiting.shift()?.();
        });
      this.#placing.add(placing);
    };
    if (this.#isStopped) return;
    if (this.#placing.size < this.#terms.target.width) begin();
    else this.#waiting.push(begin);
  }

  /** Those under way get their places, and no others: the run ends here. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting.length = 0;
  }

  /** Resolves when all files have their places, or can't get them. */
  async settled(): Promise<void> {
    while (this.#placing.size > 0) await Promise.all(this.#placing);
  }

  /**
   * Remove what is left of a staged file, if its owner is whole at its place.
   *
   * @throws as SyncTarget.remove()
   */
  async clear({ path, owner }: LeftStaged): Promise<void> {
    const { connection, here, root, target } = this.#terms;
    const remote = joinPath(root, owner);
    const both = [connection.persist((client) => client.stat(remote)), here.stat(owner)];
    const [there, local] = await Promise.allSettled(both);
    if (there?.status !== "fulfilled" || local?.status !== "fulfilled") return;
    const isWhole = [there.value, local.value].every(({ kind, size }) => kind === "file" && size === local.value.size);
    if (isWhole) await target.remove(path);
  }

  async #place(path: string, wasThere: boolean): Promise<void> {
    const { target, rules, digest64 } = this.#terms;
    const staged = stagedPath(path, digest64);
    if (wasThere && rules.comparesContent) await this.#requireSame(path, staged);
    if (rules.setsAside) await target.setAside(path);
    await target.replace(staged, path);
  }

  /** @throws CommError CHANGED, and the staged file is gone; INTERRUPTED, or the loss of the link */
  async #requireSame(path: string, staged: string): Promise<void> {
    const { isSending, root, here, target } = this.#terms;
    const [remote, local] = isSending ? [staged, path] : [path, staged];
    let fault: CommError | undefined;
    await compareDigests([{ item: path, remote: joinPath(root, remote), open: () => here.open(local) }], {
      ...this.#terms,
      onBegin() {},
      onSame() {},
      onFailed: (_, error) => {
        fault = error;
      },
    });
    if (fault === undefined) return;
    if (fault.code !== "DIGEST_MISMATCH") throw fault;
    await target.remove(staged);
    throw new CommError("CHANGED", `${quote(path)} has changed since an earlier run was interrupted: run it again.`);
  }
}
