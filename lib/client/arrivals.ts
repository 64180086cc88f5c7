import type { Range } from "../block.ts";
import { type CommError, ProtocolError, toCommError } from "../errors.ts";
import { checkHoles } from "../holes.ts";
import type { FileFacts } from "../protocol/methods.ts";
import { isSmall } from "../storage/storage.ts";
import type { Chunk } from "../transfer/chunk-reader.ts";
import type { CommitQueue } from "../transfer/commit-queue.ts";
import { FileReceiver } from "../transfer/file-receiver.ts";
import type { Naming } from "../transfer/naming.ts";
import { SmallFile } from "../transfer/small-file.ts";
import type { DownloadOptions } from "./download-options.ts";
import { type DownloadTask, mayRestart, restart } from "./download-task.ts";
import { FinalNames } from "./final-names.ts";
import { MAX_OUTSTANDING_BYTES, MAX_OVERLOADS, overloadDelayMs } from "./transfer.ts";

/** Reactions of the download to its arrivals. */
export interface ArrivalsPort {
  /** The task's `ranges` must be requested again; with `delayMs` not before that time. */
  askAgain(task: DownloadTask, delayMs?: number): void;
  /** The local disk can store nothing more. */
  stop(error: CommError): void;
  /** The rest of a large file is not wanted: the other files come over another stream. */
  leaveStream(): void;
  /** The task was reported as done, or as failed. */
  onOver(task: DownloadTask): void;
}

/** Stores what arrives for a task in the local tree, and reports the outcome. */
export class Arrivals {
  readonly #options: DownloadOptions;
  readonly #port: ArrivalsPort;
  readonly commits: CommitQueue;
  readonly #names: FinalNames;

  constructor(options: DownloadOptions, commits: CommitQueue, naming: Naming, port: ArrivalsPort) {
    this.#options = options;
    this.commits = commits;
    this.#names = new FinalNames(options.exists, commits, naming, {
      onStored: (task, path) => this.#done(task, path),
      onFailed: (task, error) => this.#failed(task, error),
      onFull: (task, error) => this.#full(task, error),
    });
    this.#port = port;
  }

  /**
   * FILE has arrived.
   *
   * @returns a promise that settles when the next chunk may come; undefined: at once
   * @throws ProtocolError
   */
  begin(task: DownloadTask, facts: FileFacts): Promise<void> | undefined {
    if (task.failure !== undefined) return undefined;
    const before = task.receiver?.part.facts ?? task.small?.facts;
    if (before !== undefined) {
      if (before.etag === facts.etag) return undefined;
      throw new ProtocolError("BAD_PAYLOAD", "The server sends another state of a file than the requested one.");
    }
    checkHoles(task.path, facts.size, facts.holes);
    task.etag = facts.etag;
    task.isOld = false;
    if (!isSmall(facts)) return this.#beginLarge(task, facts);
    // With "rename" a free path is chosen when the file is complete: one that was free before may be taken by then.
    task.small = new SmallFile(task.item.to, facts);
    this.#options.onStart?.(task.item, 0, facts.size);
    return undefined;
  }

  async #beginLarge(task: DownloadTask, facts: FileFacts): Promise<void> {
    const { local, exists, onProgress, onStart } = this.#options;
    const { item } = task;
    try {
      const part = await this.commits.tryTwice(() => local.receive(task.path, facts, exists));
      task.receiver = new FileReceiver(part, (bytes, reused) => onProgress?.(item, bytes, reused));
      task.receiver.basis = task.basis;
      onStart?.(item, part.present, facts.size);
    } catch (thrown) {
      task.failure = toCommError(thrown);
      if (facts.size <= MAX_OUTSTANDING_BYTES) return;
      // Don't receive the whole file only to throw it away: its other answers end with the stream.
      this.#failed(task, task.failure);
      this.#port.leaveStream();
    }
  }

  async #seal(task: DownloadTask): Promise<void> {
    const { receiver } = task;
    if (receiver === undefined) throw new ProtocolError("BAD_PAYLOAD", "The end of a file comes before its beginning.");
    let missing: readonly Range[];
    try {
      missing = await receiver.sealed();
    } catch (thrown) {
      const { code } = toCommError(thrown);
      if (code === "TOO_LARGE") return this.#drop(task, receiver, thrown);
      if (code !== "DIGEST_MISMATCH") await this.#putOff(task, receiver);
      return this.#giveUp(task, thrown);
    }
    if (missing.length > 0) {
      task.mayReuse = false;
      this.#askAgain(task, missing);
    } else await this.#names.give(task, () => receiver.part.commit());
  }

  #sealSmall(task: DownloadTask, small: SmallFile): Promise<void> | undefined {
    const { local, exists, onProgress } = this.#options;
    let bytes: Uint8Array | undefined;
    try {
      bytes = small.sealed();
    } catch (thrown) {
      return this.#giveUp(task, thrown);
    }
    const { path, facts } = small;
    if (bytes === undefined) {
      this.#askAgain(task, [[0, facts.size]]);
      return undefined;
    }
    const whole = bytes;
    onProgress?.(task.item, facts.size, 0);
    return this.#names.give(task, () => local.store(path, facts, exists, whole));
  }

  /** The local disk ends this run: keep what has arrived of the task for the next one. */
  async #putOff(task: DownloadTask, receiver: FileReceiver): Promise<void> {
    task.ranges = receiver.part.missing;
    await receiver.part.keep();
    task.receiver = undefined;
    this.#port.askAgain(task);
  }

  #askAgain(task: DownloadTask, missing: readonly Range[]): void {
    task.ranges = missing;
    this.#port.askAgain(task);
  }

  /** Too much damage fails only this file; any other error, such as a full disk, concerns all files. */
  #giveUp(task: DownloadTask, thrown: unknown): Promise<void> {
    const error = toCommError(thrown);
    if (error.code !== "DIGEST_MISMATCH") throw error;
    return this.#fail(task, error);
  }

  /** The other files would fail too, and this one can be resumed when there is room. */
  #full(task: DownloadTask, error: CommError): void {
    this.#askAgain(task, task.small === undefined ? [] : [[0, task.small.facts.size]]);
    task.receiver = undefined;
    this.#port.stop(error);
  }

  async #fail(task: DownloadTask, error: CommError): Promise<void> {
    const { receiver } = task;
    await receiver?.settle();
    if (error.code === "OVERLOADED" && task.overloads < MAX_OVERLOADS) {
      // Other files hold all of the server's descriptors for a while.
      task.failure = undefined;
      if (receiver !== undefined) task.ranges = receiver.part.missing;
      return this.#port.askAgain(task, overloadDelayMs(task.overloads++));
    }
    if (error.code !== "CHANGED") {
      await receiver?.part.keep();
      return this.#failed(task, error);
    }
    await receiver?.part.discard();
    if (!mayRestart(task)) return this.#failed(task, error);
    this.#options.onRestart?.(task.item);
    restart(task);
    this.#port.askAgain(task);
  }

  /**
   * A block has arrived.
   *
   * @returns a promise that settles when the next chunk may come; undefined: at once
   * @throws ProtocolError BAD_PAYLOAD; StorageError that an earlier write met
   */
  block(task: DownloadTask, chunk: Chunk): Promise<void> | undefined {
    if (task.failure !== undefined) chunk.release();
    else if (task.small !== undefined) task.small.take(chunk);
    else if (task.receiver !== undefined) return this.#write(task, task.receiver, chunk);
    else throw new ProtocolError("BAD_PAYLOAD", "A block comes before its file.");
    return undefined;
  }

  #write(task: DownloadTask, receiver: FileReceiver, chunk: Chunk): Promise<void> | undefined {
    try {
      return receiver.take(chunk);
    } catch (thrown) {
      if (toCommError(thrown).code !== "TOO_LARGE") throw thrown;
      // The disk has no room for the rest of the file.
      return this.#drop(task, receiver, thrown).then(() => this.#port.leaveStream());
    }
  }

  /** The disk can't hold so large a file: its part is removed, and only this file fails. */
  async #drop(task: DownloadTask, receiver: FileReceiver, thrown: unknown): Promise<void> {
    const error = toCommError(thrown);
    task.failure = error;
    await receiver.settle();
    await receiver.part.discard();
    this.#failed(task, error);
  }

  /**
   * All answers for the task have arrived.
   *
   * @returns a promise that settles when the next chunk may come; undefined: at once
   * @throws StorageError that ends the run
   */
  settle(task: DownloadTask): Promise<void> | undefined {
    return task.basis === undefined ? this.#settle(task) : endReuse(task).then(() => this.#settle(task));
  }

  #settle(task: DownloadTask): Promise<void> | undefined {
    if (task.failure !== undefined) return this.#fail(task, task.failure);
    return task.small === undefined ? this.#seal(task) : this.#sealSmall(task, task.small);
  }

  /** The answers for the task were cut off. */
  async interrupt(task: DownloadTask): Promise<void> {
    await endReuse(task);
    if (task.failure !== undefined) return this.#fail(task, task.failure);
    if (task.receiver !== undefined) task.ranges = task.receiver.part.missing;
    task.isOld = true;
    this.#port.askAgain(task);
  }

  #done(task: DownloadTask, path: string): void {
    this.#finish(task);
    const { size } = task.receiver?.part.facts ?? task.small?.facts ?? task.item;
    this.#options.onDone(task.item, "stored", path, size);
  }

  #failed(task: DownloadTask, error: CommError): void {
    if (task.isOver) return;
    this.#finish(task);
    this.#options.onFailed(task.item, error);
  }

  #finish(task: DownloadTask): void {
    task.isOver = true;
    this.#port.onOver(task);
  }
}

/** Let everything be written, then close the older state. */
async function endReuse(task: DownloadTask): Promise<void> {
  await task.receiver?.settle();
  await task.basis?.close();
  task.basis = undefined;
  if (task.receiver !== undefined) task.receiver.basis = undefined;
}
