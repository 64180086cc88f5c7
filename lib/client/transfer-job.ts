import type { BlockTag, Digest64 } from "../block.ts";
import type { CommError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { ExistsPolicy } from "../storage/storage.ts";
import type { Connection } from "./connection.ts";
import { compareDigests, type DigestPair } from "./digest-check.ts";
import type { Direction, JobPlanEvents } from "./direction.ts";
import { gone, type LeftOutThing } from "./left-out.ts";
import { PathSet } from "./path-set.ts";
import type { TransferItem, TransferOptions } from "./transfer.ts";
import { type Done, type TransferResult, TransferTally } from "./transfer-result.ts";

/** The most conflicts in one question; further ones are failures. */
const MAX_CONFLICTS = 100_000;

/** A file that exists at the target. */
export interface Conflict<Item extends TransferItem> {
  readonly item: Item;
  readonly error: CommError;
}

/** Reports of a running job. Its subscriber may be a command line or a page. */
export interface TransferJobEvents<Item extends TransferItem> {
  /** One more file or folder will move. */
  onPlanned?(item: Item): void;
  /** Nothing more will be planned. */
  onPlanComplete?(): void;
  /** As TransferEvents. */
  onStart?(item: Item, present: number, size: number): void;
  onProgress?(item: Item, bytes: number): void;
  onRestart?(item: Item): void;
  /** The item has moved, and the digests of both ends are being compared. */
  onVerifying?(item: Item): void;
  onDone?(item: Item, done: Done): void;
  onFailed?(item: Item, error: CommError): void;
  /** A source, or something in it, that can't be moved. */
  onSourceFailed?(source: string, error: CommError): void;
  /** Something is left out, which is not a failure. Called once for a path. */
  onLeftOut?(left: LeftOutThing): void;
  /** A planned item has disappeared and will not move. onLeftOut() reports its path. */
  onGone?(item: Item): void;
}

export interface TransferJobSettings<Item extends TransferItem> {
  /** The job continues over new links as long as this connection comes back. */
  readonly connection: Connection;
  /** What happens to files that exist at the target. */
  readonly exists: ExistsPolicy;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** As TransferOptions. */
  readonly blockTag?: BlockTag | undefined;
  /** Aborting it pauses the transfer: what has arrived is kept, and the same job, made and run again, resumes it. */
  readonly signal: AbortSignal;
  readonly events: TransferJobEvents<Item>;
  /**
   * With `exists` "fail": asks once, after everything else has moved, what to do with each of these files. Absent, or
   * undefined: each of them is a failure.
   */
  onConflict?(conflicts: readonly Conflict<Item>[]): Promise<readonly ExistsPolicy[] | undefined>;
}

interface Check<Item> extends DigestPair<Item> {
  readonly done: Done;
}

/**
 * One `get` or `put`, from its plan to its counts: continues after lost links, compares digests, asks once about files
 * that exist. Made by fetchJob() and sendJob(). Runs in a browser as well.
 */
export class TransferJob<Item extends TransferItem> {
  readonly #settings: TransferJobSettings<Item>;
  readonly #direction: Direction<Item>;
  readonly #conflicts: Conflict<Item>[] = [];
  /** Files whose digests are compared when all have moved. */
  readonly #checks: Check<Item>[] = [];
  /** Things reported so far: after a lost link the plan is made again. */
  readonly #leftOut: PathSet;
  /** The most bytes of each sent file that the server has acknowledged. */
  readonly #acknowledged = new WeakMap<Item, number>();
  /** Bytes of each file that did not cross. */
  readonly #reused = new WeakMap<Item, number>();
  /** Bytes of each file that were there when it began first. */
  readonly #resumed = new WeakMap<Item, number>();
  readonly #tally = new TransferTally();

  constructor(settings: TransferJobSettings<Item>, direction: Direction<Item>) {
    this.#settings = settings;
    this.#direction = direction;
    this.#leftOut = new PathSet(settings.digest64);
  }

  /** The counts so far, also when run() has failed. */
  get result(): TransferResult {
    return this.#tally.result;
  }

  /**
   * Run the job. Call it once.
   *
   * @throws as Connection.persist(); NamingError; StorageError when the local disk fails; CommError INTERRUPTED by
   * `signal`
   */
  async run(): Promise<TransferResult> {
    const { exists, onConflict } = this.#settings;
    const mayAsk = exists === "fail" && onConflict !== undefined;
    try {
      await this.#move(undefined, exists, mayAsk);
      const policies = this.#conflicts.length > 0 ? await onConflict?.(this.#conflicts) : undefined;
      if (policies !== undefined) await this.#moveConflicts(policies);
    } finally {
      for (const { item, error } of this.#conflicts) this.#failed(item, error);
    }
    return this.result;
  }

  /** Only these items, even if the source has more by now. */
  async #moveConflicts(policies: readonly ExistsPolicy[]): Promise<void> {
    const conflicts = this.#conflicts.splice(0);
    for (const policy of new Set(policies)) {
      const items = conflicts.filter((_, index) => policies[index] === policy).map(({ item }) => item);
      await this.#move(items, policy, false);
    }
  }

  async #move(items: readonly Item[] | undefined, exists: ExistsPolicy, mayAsk: boolean): Promise<void> {
    const { connection } = this.#settings;
    const mover = this.#direction.move(items, this.#planEvents, this.#transferOptions(exists, mayAsk));
    try {
      await connection.persist((client) => mover.run(client));
      await this.#verify();
    } finally {
      await mover.close();
    }
  }

  get #planEvents(): JobPlanEvents<Item> {
    const { events } = this.#settings;
    return {
      onPlanned: (item) => events.onPlanned?.(item),
      onPlanComplete: () => events.onPlanComplete?.(),
      onFailed: (source, error) => {
        this.#tally.addFailure(error);
        events.onSourceFailed?.(source, error);
      },
      onLeftOut: (left) => this.#leaveOut(left),
    };
  }

  #transferOptions(exists: ExistsPolicy, mayAsk: boolean): TransferOptions<Item> {
    const { connection, clock, digest64, blockTag, signal, events } = this.#settings;
    const { isSending, isConflict, verification } = this.#direction;
    return {
      exists,
      clock,
      digest64,
      blockTag,
      signal,
      onStart: (item, present, size) => {
        if (isSending) this.#acknowledge(item, present);
        if (!this.#resumed.has(item)) this.#resumed.set(item, present);
        events.onStart?.(item, present, size);
      },
      onProgress: (item, bytes, reused) => {
        if (!isSending) connection.noteProgress();
        if (reused > 0) this.#reused.set(item, reused + (this.#reused.get(item) ?? 0));
        events.onProgress?.(item, bytes);
      },
      onRestart: (item) => {
        this.#reused.delete(item);
        this.#resumed.set(item, 0);
        events.onRestart?.(item);
      },
      onDone: (item, outcome, path, size) => {
        if (isSending) connection.noteProgress();
        const reused = this.#reused.get(item);
        const resumed = outcome === "stored" ? (this.#resumed.get(item) ?? 0) : 0;
        const parts = { ...(reused !== undefined && { reused }), ...(resumed > 0 && { resumed }) };
        const done = { outcome, path, size, ...parts };
        if (verification === undefined || item.kind !== "file" || outcome === "skipped") this.#done(item, done);
        else {
          const open = () => verification.open(item, path);
          this.#checks.push({ item, done, remote: verification.remotePath(item, path), open });
        }
      },
      onGone: (item, error) => {
        events.onGone?.(item);
        this.#leaveOut(gone(item.from, error));
      },
      onFailed: (item, error) => {
        const isAsked =
          mayAsk && error.code === "EXISTS" && isConflict(error) && this.#conflicts.length < MAX_CONFLICTS;
        if (isAsked) this.#conflicts.push({ item, error });
        else this.#failed(item, error);
      },
    };
  }

  #acknowledge(item: Item, present: number): void {
    if (present <= (this.#acknowledged.get(item) ?? 0)) return;
    this.#acknowledged.set(item, present);
    this.#settings.connection.noteProgress();
  }

  /** Compare the digests of both ends for all that has moved. @throws CommError INTERRUPTED */
  async #verify(): Promise<void> {
    const { events } = this.#settings;
    const { verification } = this.#direction;
    if (verification === undefined) return;
    await compareDigests(this.#checks.splice(0), {
      ...this.#settings,
      sha256: () => verification.sha256(),
      onBegin: ({ item }) => events.onVerifying?.(item),
      onSame: ({ item, done }, sha256) => this.#done(item, { ...done, sha256 }),
      onFailed: ({ item }, error) => this.#failed(item, error),
    });
  }

  #done(item: Item, done: Done): void {
    if (item.kind === "file") this.#tally.addDone(done);
    this.#settings.events.onDone?.(item, done);
  }

  #failed(item: Item, error: CommError): void {
    this.#tally.addFailure(error);
    this.#settings.events.onFailed?.(item, error);
  }

  #leaveOut(left: LeftOutThing): void {
    const { path, count = 1 } = left;
    if (!this.#leftOut.add(`${count} ${path}`)) return;
    this.#tally.addLeftOut(count);
    this.#settings.events.onLeftOut?.(left);
  }
}
