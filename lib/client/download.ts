import type { Range } from "../block.ts";
import { type CommError, codeOfWire, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { parentOf } from "../path.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason } from "../protocol/messages.ts";
import { FileFacts, type GetRequest } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import { isSmall, type Storage } from "../storage/storage.ts";
import { BlockPool } from "../transfer/block-pool.ts";
import { type Chunk, ChunkReader } from "../transfer/chunk-reader.ts";
import { CommitQueue } from "../transfer/commit-queue.ts";
import { FileReceiver } from "../transfer/file-receiver.ts";
import { Pacer } from "../transfer/pacer.ts";
import { RecordSender } from "../transfer/record-sender.ts";
import { SmallFile } from "../transfer/small-file.ts";
import type { Client } from "./client.ts";
import {
  isDamage,
  MAX_DAMAGES,
  MAX_OUTSTANDING,
  MAX_OUTSTANDING_BYTES,
  MAX_RESTARTS,
  type TransferItem,
  type TransferOptions,
} from "./transfer.ts";
import { Wakeup } from "./wakeup.ts";

const POOL_BLOCKS = 3;

export interface DownloadOptions extends TransferOptions {
  /** Where the files go. */
  readonly local: Pick<Storage, "place" | "receive" | "store" | "makeFolder">;
  /** One file after the other, each whole before the next begins. */
  readonly isSequential?: boolean;
}

/** One file on its way, over as many links as it takes. */
interface Task {
  readonly item: TransferItem;
  /** Where it goes: another path than the item's when both are kept. */
  readonly path: string;
  /** The state of the source that the bytes here are of. */
  etag: string | undefined;
  /** What to ask for. */
  ranges: readonly Range[];
  receiver: FileReceiver | undefined;
  /** Instead of a receiver, for a small file. */
  small: SmallFile | undefined;
  restarts: number;
  /** Answers that are still to come. */
  expected: number;
  /** Why it can't be had; acted on with the last of its answers. */
  failure: CommError | undefined;
  /** It was told to be done, or to have failed. */
  isOver: boolean;
}

/** Thrown to be rid of the rest of a large file that can't be stored here. */
const ANOTHER_STREAM = Symbol("another stream");

interface Request {
  readonly id: number;
  readonly task: Task;
  readonly bytes: number;
}

/**
 * Fetches files into a local tree: asks ahead, verifies block by block, goes on with what is there already, and may
 * run() again over another link after the first was lost.
 */
export class Download {
  readonly #options: DownloadOptions;
  readonly #source: (client: Client) => AsyncIterable<readonly TransferItem[]>;
  #batches: AsyncIterator<readonly TransferItem[]> | undefined;
  #batch: readonly TransferItem[] = [];
  #batchIndex = 0;
  #itemsEnded = false;
  /** Targets that were seen: a list that a lost link cut off comes again from its beginning. */
  readonly #seen = new Set<string>();
  /** Folders that this download has made: what comes into them can find nothing there. */
  readonly #madeFolders = new Set<string>();
  /** To be asked for before anything new: after a lost link, a damaged block, a changed source. */
  #again: Task[] = [];
  /** In the order of their answers. */
  #outstanding: Request[] = [];
  #outstandingBytes = 0;
  /** Tasks that are not over. */
  #unfinished = 0;
  readonly #commits = new CommitQueue();
  readonly #wakeup = new Wakeup();
  #nextId = 0;
  #stream: Stream | undefined;
  #failure: unknown;

  /** `source` tells what to fetch; it is asked again after a lost link. */
  constructor(source: (client: Client) => AsyncIterable<readonly TransferItem[]>, options: DownloadOptions) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * Fetch all that is not here yet. Files that can't be had are told by onFailed(); what fails the transfer as a
   * whole is thrown, and then run() may be called again: nothing that has arrived is asked for twice.
   *
   * @throws RemoteError, TransportError when the session ends; StorageError when the local disk fails
   */
  async run(client: Client): Promise<void> {
    this.#batches = this.#itemsEnded ? undefined : this.#source(client)[Symbol.asyncIterator]();
    let damages = 0;
    do {
      this.#failure = undefined;
      await this.#runStream(client);
      if (isDamage(this.#failure) && ++damages <= MAX_DAMAGES) this.#failure = ANOTHER_STREAM;
    } while (this.#failure === ANOTHER_STREAM);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Leave what is unfinished on the disk, to be gone on with another time. */
  async close(): Promise<void> {
    for (const { receiver } of this.#again.splice(0)) await receiver?.part.keep();
    await this.#batches?.return?.();
  }

  async #runStream(client: Client): Promise<void> {
    const { signal } = this.#options;
    const stream = client.openStream("get", {}, { body: true, ...(signal && { signal }) });
    this.#stream = stream;
    const answers = this.#takeAnswers(stream).catch((thrown) => this.#stop(thrown));
    const requests = this.#sendRequests(stream).catch((thrown) => this.#stop(thrown));
    await Promise.all([answers, requests]);
    await this.#commits.settled();
    await this.#settle();
  }

  #stop(thrown: unknown): void {
    this.#failure ??= thrown;
    this.#stream?.reset("CANCELLED", "The receiver can't go on.", toCommError(thrown));
    this.#wakeup.notify();
  }

  /** What was asked for and has not come will be asked for again. */
  async #settle(): Promise<void> {
    const tasks = new Set(this.#outstanding.map(({ task }) => task));
    this.#outstanding = [];
    this.#outstandingBytes = 0;
    for (const task of tasks) {
      await task.receiver?.settle();
      task.expected = 0;
      if (task.failure !== undefined) {
        this.#failed(task, task.failure);
        continue;
      }
      if (task.receiver !== undefined) task.ranges = task.receiver.part.missing;
      this.#again.push(task);
    }
  }

  async #sendRequests(stream: Stream): Promise<void> {
    const records = new RecordSender(stream, this.#options.clock);
    for (;;) {
      if (this.#failure !== undefined) return;
      if (this.#isFull()) {
        await this.#wakeup.wait();
        continue;
      }
      let task = this.#again.shift();
      if (task === undefined && !this.#itemsEnded) {
        const next = this.#nextTask();
        task = next instanceof Promise ? await next : next;
      }
      if (task !== undefined) {
        this.#request(task, records);
      } else if (this.#itemsEnded && this.#again.length === 0) {
        if (this.#unfinished === 0) break;
        await this.#wakeup.wait();
      }
    }
    await records.flush();
    await stream.end();
  }

  #isFull(): boolean {
    if (this.#options.isSequential) return this.#outstanding.length > 0 || this.#commits.size > 0;
    return this.#outstanding.length >= MAX_OUTSTANDING || this.#outstandingBytes >= MAX_OUTSTANDING_BYTES;
  }

  #request(task: Task, records: RecordSender): void {
    const { from } = task.item;
    task.expected = Math.max(1, task.ranges.length);
    // A file that is whole already, but for its name, is asked for its facts alone.
    for (const [start, end] of task.ranges.length > 0 ? task.ranges : [[0, 0] as const]) {
      const id = this.#nextId++;
      const request: GetRequest = { id, path: from, offset: start };
      if (task.etag !== undefined) {
        request.etag = task.etag;
        request.length = end - start;
      }
      this.#outstanding.push({ id, task, bytes: end - start });
      this.#outstandingBytes += end - start;
      records.add(request);
    }
  }

  /** The next file that must be fetched; undefined when there is none for now, or none at all. */
  #nextTask(): Task | undefined | Promise<Task | undefined> {
    const item = this.#batch[this.#batchIndex];
    if (item === undefined) return this.#nextBatch();
    this.#batchIndex++;
    if (this.#seen.has(item.to)) return undefined;
    this.#seen.add(item.to);
    if (item.kind === "file" && this.#madeFolders.has(parentOf(item.to))) return this.#newTask(item, item.to);
    return this.#place(item);
  }

  #newTask(...args: Parameters<typeof newTask>): Task {
    this.#unfinished++;
    return newTask(...args);
  }

  async #nextBatch(): Promise<undefined> {
    const step = await this.#batches?.next();
    this.#itemsEnded = step === undefined || step.done === true;
    this.#batch = step === undefined || step.done ? [] : step.value;
    this.#batchIndex = 0;
  }

  /** What is at the item's place decides whether it is fetched, and from where on. */
  async #place(item: TransferItem): Promise<Task | undefined> {
    const { local, exists, onDone, onFailed } = this.#options;
    try {
      if (item.kind === "folder") {
        if (await local.makeFolder(item.to)) this.#madeFolders.add(item.to);
        onDone(item, "stored", item.to);
        return undefined;
      }
      const placement = await local.place(item.to, item, exists);
      if (placement.outcome === "vacant") return this.#newTask(item, placement.path, placement.resume);
      onDone(item, placement.outcome, placement.path);
    } catch (thrown) {
      onFailed(item, toCommError(thrown));
    }
    return undefined;
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    const reader = new ChunkReader(stream, new BlockPool(POOL_BLOCKS), this.#options.digest64);
    const pacer = new Pacer(this.#options.clock);
    for (;;) {
      const chunk = reader.take() ?? (await reader.next());
      if (chunk === undefined) return;
      const request = this.#outstanding[0];
      if (request === undefined || request.id !== chunk.id) {
        throw new ProtocolError("BAD_PAYLOAD", "A file comes that was not asked for, or out of turn.");
      }
      const work = this.#take(chunk, request);
      if (work !== undefined) await work;
      if (chunk.kind !== ChunkKind.BLOCK) chunk.release();
      // Requests must leave meanwhile, or the server would have nothing to do.
      if (pacer.isDue) await pacer.pause();
    }
  }

  /** @returns what to wait for before the next chunk */
  #take(chunk: Chunk, request: Request): Promise<void> | undefined {
    const { task } = request;
    switch (chunk.kind) {
      case ChunkKind.FILE:
        return this.#begin(task, decodeJson(FileFacts, chunk.payload, "What a file is"));
      case ChunkKind.BLOCK:
        if (task.failure !== undefined) chunk.release();
        else if (task.small !== undefined) task.small.take(chunk);
        else if (task.receiver === undefined) throw new ProtocolError("BAD_PAYLOAD", "A block comes before its file.");
        else task.receiver.take(chunk);
        return undefined;
      case ChunkKind.FAIL: {
        const { code, message } = decodeJson(Reason, chunk.payload, "A refusal");
        task.failure ??= new RemoteError(codeOfWire(code), message);
        return this.#answered(request);
      }
      case ChunkKind.SEAL:
        return this.#answered(request);
      default:
        throw new ProtocolError("BAD_PAYLOAD", "A folder comes in a download.");
    }
  }

  #answered({ task, bytes }: Request): Promise<void> | undefined {
    this.#outstanding.shift();
    this.#outstandingBytes -= bytes;
    task.expected--;
    const work = task.expected > 0 ? undefined : this.#settleTask(task);
    if (work === undefined) this.#wakeup.notify();
    return work?.finally(() => this.#wakeup.notify());
  }

  /** All answers of the task are here. */
  #settleTask(task: Task): Promise<void> | undefined {
    if (task.failure !== undefined) return this.#fail(task, task.failure);
    return task.small === undefined ? this.#seal(task) : this.#sealSmall(task, task.small);
  }

  #done(task: Task, path: string): void {
    this.#finish(task);
    this.#options.onDone(task.item, "stored", path);
  }

  #failed(task: Task, error: CommError): void {
    if (task.isOver) return;
    this.#finish(task);
    this.#options.onFailed(task.item, error);
  }

  #finish(task: Task): void {
    task.isOver = true;
    this.#unfinished--;
    this.#wakeup.notify();
  }

  #begin(task: Task, facts: FileFacts): Promise<void> | undefined {
    if (task.failure !== undefined) return undefined;
    const before = task.receiver?.part.facts ?? task.small?.facts;
    if (before !== undefined) {
      if (before.etag === facts.etag) return undefined;
      throw new ProtocolError("BAD_PAYLOAD", "Another state of a file comes than the one asked for.");
    }
    task.etag = facts.etag;
    if (!isSmall(facts)) return this.#beginLarge(task, facts);
    task.small = new SmallFile(task.path, facts);
    this.#options.onStart?.(task.item, 0);
    return undefined;
  }

  async #beginLarge(task: Task, facts: FileFacts): Promise<void> {
    const { local, exists, onProgress, onStart } = this.#options;
    const { item } = task;
    try {
      const part = await local.receive(task.path, facts, exists);
      task.receiver = new FileReceiver(part, (bytes) => onProgress?.(item, bytes));
      onStart?.(item, part.present);
    } catch (thrown) {
      task.failure = toCommError(thrown);
      if (facts.size <= MAX_OUTSTANDING_BYTES) return;
      // Not the whole file only to throw it away: its other answers die with the stream.
      this.#failed(task, task.failure);
      throw ANOTHER_STREAM;
    }
  }

  async #seal(task: Task): Promise<void> {
    const { receiver } = task;
    if (receiver === undefined) throw new ProtocolError("BAD_PAYLOAD", "The end of a file comes before its beginning.");
    let missing: readonly Range[];
    try {
      missing = await receiver.sealed();
    } catch (thrown) {
      if (toCommError(thrown).code !== "DIGEST_MISMATCH") await this.#putOff(task, receiver);
      return this.#giveUp(task, thrown);
    }
    if (missing.length > 0) this.#askAgain(task, missing);
    else await this.#commit(task, () => receiver.part.commit());
  }

  #sealSmall(task: Task, small: SmallFile): Promise<void> | undefined {
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
    onProgress?.(task.item, facts.size);
    return this.#commit(task, () => local.store(path, facts, exists, whole));
  }

  /** The local disk ends the run: leave what is here of the task to the next one. */
  async #putOff(task: Task, receiver: FileReceiver): Promise<void> {
    task.ranges = receiver.part.missing;
    await receiver.part.keep();
    task.receiver = undefined;
    this.#again.push(task);
  }

  #askAgain(task: Task, missing: readonly Range[]): void {
    task.ranges = missing;
    this.#again.push(task);
  }

  /** Damaged too often is about this file; anything else, such as a full disk, is about all. */
  #giveUp(task: Task, thrown: unknown): Promise<void> {
    const error = toCommError(thrown);
    if (error.code !== "DIGEST_MISMATCH") throw error;
    return this.#fail(task, error);
  }

  #commit(task: Task, commit: () => string | Promise<string>): Promise<void> | undefined {
    let stored: string | Promise<string>;
    try {
      stored = commit();
    } catch (thrown) {
      this.#notStored(task, thrown);
      return undefined;
    }
    if (typeof stored === "string") {
      this.#done(task, stored);
      return undefined;
    }
    return this.#commits.add(
      stored.then(
        (path) => this.#done(task, path),
        (thrown) => this.#notStored(task, thrown),
      ),
    );
  }

  #notStored(task: Task, thrown: unknown): void {
    const error = toCommError(thrown);
    if (error.code !== "DISK_FULL") return this.#failed(task, error);
    // The others would fare no better; and this one can go on when there is room.
    this.#askAgain(task, task.small === undefined ? [] : [[0, task.small.facts.size]]);
    task.receiver = undefined;
    this.#stop(error);
  }

  async #fail(task: Task, error: CommError): Promise<void> {
    const { receiver } = task;
    await receiver?.settle();
    if (error.code !== "CHANGED") {
      await receiver?.part.keep();
      return this.#failed(task, error);
    }
    await receiver?.part.discard();
    if (task.restarts >= MAX_RESTARTS) return this.#failed(task, error);
    this.#options.onRestart?.(task.item);
    task.restarts++;
    task.failure = undefined;
    task.receiver = undefined;
    task.small = undefined;
    task.etag = undefined;
    this.#askAgain(task, [[0, task.item.size]]);
  }
}

function newTask(item: TransferItem, path: string, resume?: { etag: string; missing: readonly Range[] }): Task {
  return {
    item,
    path,
    etag: resume?.etag,
    ranges: resume?.missing ?? [[0, item.size]],
    receiver: undefined,
    small: undefined,
    restarts: 0,
    expected: 0,
    failure: undefined,
    isOver: false,
  };
}
