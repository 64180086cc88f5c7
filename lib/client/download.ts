import { BLOCK_BYTES } from "../block.ts";
import { codeOfWire, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason } from "../protocol/messages.ts";
import { FileFacts, type GetRequest } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";
import { BlockPool } from "../transfer/block-pool.ts";
import { type Chunk, ChunkReader } from "../transfer/chunk-reader.ts";
import { CommitQueue } from "../transfer/commit-queue.ts";
import { GivenNames } from "../transfer/given-names.ts";
import { Naming } from "../transfer/naming.ts";
import { RecordSender } from "../transfer/record-sender.ts";
import { Yielder } from "../yielder.ts";
import { ANOTHER_STREAM, Arrivals } from "./arrivals.ts";
import type { Client } from "./client.ts";
import type { DownloadOptions } from "./download-options.ts";
import { DownloadPlan } from "./download-plan.ts";
import type { DownloadTask } from "./download-task.ts";
import {
  isDamage,
  MAX_DAMAGES,
  MAX_OUTSTANDING,
  MAX_OUTSTANDING_BYTES,
  type TransferItem,
  tellGone,
} from "./transfer.ts";

const POOL_BLOCKS = 3;

interface Request {
  readonly id: number;
  readonly task: DownloadTask;
  readonly bytes: number;
  /** Bytes of blocks that may still come: they may come more than once, but not without end. */
  allowance: number;
  isBegun: boolean;
}

/** Bytes that may come besides for a request whatever its size is. */
const SPARE_BYTES = 16 * BLOCK_BYTES;

/**
 * Fetches files into a local tree: asks ahead, verifies block by block, goes on with what is there already, and may
 * run() again over another link after the first was lost.
 */
export class Download {
  readonly #options: DownloadOptions;
  readonly #plan: DownloadPlan;
  readonly #arrivals: Arrivals;
  /** To be asked for before anything new: after a lost link, a damaged block, a changed source. */
  #again: DownloadTask[] = [];
  /** To be asked for when the server may have room for them, and what keeps that from happening. */
  readonly #later = new Map<DownloadTask, () => void>();
  /** In the order of their answers. */
  #outstanding: Request[] = [];
  #outstandingBytes = 0;
  /** Tasks that are not over. */
  #unfinished = 0;
  readonly #wakeup = new Wakeup();
  #nextId = 0;
  #stream: Stream | undefined;
  /** Our own end of the body is due. */
  #hasAskedAll = false;
  #failure: unknown;
  /** Something may be asked for again, in another run. */
  #hasFailed = false;

  /** `source` tells what to fetch; it is asked again after a lost link. */
  constructor(source: (client: Client) => AsyncIterable<readonly TransferItem[]>, options: DownloadOptions) {
    const noted: DownloadOptions = {
      ...options,
      onFailed: (item, error) => {
        this.#hasFailed = true;
        options.onFailed(item, error);
      },
    };
    this.#options = tellGone(noted, (error) => error instanceof RemoteError && error.code === "NOT_FOUND");
    const commits = new CommitQueue();
    const naming = new Naming(new GivenNames(), options.local, () => commits.settled());
    this.#plan = new DownloadPlan(source, naming, this.#options);
    this.#arrivals = new Arrivals(this.#options, commits, naming, {
      askAgain: (task, delayMs) => (delayMs === undefined ? this.#again.push(task) : this.#askLater(task, delayMs)),
      stop: (error) => this.#stop(error),
      onOver: () => {
        this.#unfinished--;
        this.#wakeup.notify();
      },
    });
  }

  /**
   * Fetch all that is not here yet. Files that can't be had are told by onFailed(); what fails the transfer as a
   * whole is thrown, and then run() may be called again: nothing that has arrived is asked for twice.
   *
   * @throws RemoteError, TransportError when the session ends; StorageError when the local disk fails
   */
  async run(client: Client): Promise<void> {
    this.#plan.begin(client);
    let damages = 0;
    do {
      this.#failure = undefined;
      await this.#runStream(client);
      if (isDamage(this.#failure) && ++damages <= MAX_DAMAGES) this.#failure = ANOTHER_STREAM;
    } while (this.#failure === ANOTHER_STREAM);
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#hasFailed) await this.#plan.finishFolders();
  }

  /** Leave what is unfinished on the disk, to be gone on with another time. */
  async close(): Promise<void> {
    for (const [task, cancel] of this.#later) {
      cancel();
      this.#again.push(task);
    }
    this.#later.clear();
    for (const { receiver } of this.#again.splice(0)) await receiver?.part.keep();
    await this.#plan.close();
  }

  async #runStream(client: Client): Promise<void> {
    const { signal } = this.#options;
    const isWaiting = () => (this.#outstanding.length > 0 || this.#hasAskedAll) && stream.isAwaited;
    const stream = client.openStream("get", {}, { body: true, isWaiting, ...(signal && { signal }) });
    this.#stream = stream;
    this.#hasAskedAll = false;
    const answers = this.#takeAnswers(stream).catch((thrown) => this.#stop(thrown));
    const requests = this.#sendRequests(stream).catch((thrown) => this.#stop(thrown));
    await Promise.all([answers, requests]);
    await this.#arrivals.commits.settled();
    await this.#settle();
  }

  #stop(thrown: unknown): void {
    this.#failure ??= thrown;
    this.#stream?.reset("CANCELLED", "The receiver can't go on.", toCommError(thrown));
    this.#wakeup.notify();
  }

  #askLater(task: DownloadTask, delayMs: number): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#later.delete(task);
      this.#again.push(task);
      this.#wakeup.notify();
    });
    this.#later.set(task, cancel);
  }

  /** What was asked for and has not come will be asked for again. */
  async #settle(): Promise<void> {
    const tasks = new Set(this.#outstanding.map(({ task }) => task));
    this.#outstanding = [];
    this.#outstandingBytes = 0;
    for (const task of tasks) {
      task.expected = 0;
      await this.#arrivals.interrupt(task);
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
      if (task === undefined) {
        const next = this.#plan.next();
        task = next instanceof Promise ? await next : next;
        if (task !== undefined) this.#unfinished++;
      }
      if (task !== undefined) {
        this.#request(task, records);
      } else if (this.#plan.isEnded && this.#again.length === 0) {
        if (this.#unfinished === 0) break;
        await this.#wakeup.wait();
      }
    }
    this.#hasAskedAll = true;
    await records.flush();
    await stream.end();
  }

  #isFull(): boolean {
    if (this.#options.isSequential) return this.#unfinished > this.#again.length;
    return this.#outstanding.length >= MAX_OUTSTANDING || this.#outstandingBytes >= MAX_OUTSTANDING_BYTES;
  }

  #request(task: DownloadTask, records: RecordSender): void {
    const { from } = task.item;
    task.expected = Math.max(1, task.ranges.length);
    // A file that is whole already, but for its name, is asked for its facts alone.
    for (const [start, end] of task.ranges.length > 0 ? task.ranges : [[0, 0] as const]) {
      const id = this.#nextId++;
      const request: GetRequest = { id, path: from, offset: start };
      if (this.#options.isWithoutHoles !== true) request.holes = true;
      if (task.etag !== undefined) {
        request.etag = task.etag;
        request.length = end - start;
      }
      this.#outstanding.push({
        id,
        task,
        bytes: end - start,
        allowance: 2 * (end - start) + SPARE_BYTES,
        isBegun: false,
      });
      this.#outstandingBytes += end - start;
      records.add(request);
    }
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    const reader = new ChunkReader(stream, new BlockPool(POOL_BLOCKS), this.#options.digest64);
    const yielder = new Yielder(this.#options.clock);
    for (;;) {
      const chunk = reader.take() ?? (await this.#next(reader));
      if (chunk === undefined) {
        if (this.#hasAskedAll) return;
        throw new ProtocolError("BAD_PAYLOAD", "The server ends before it was asked for everything.");
      }
      const request = this.#outstanding[0];
      if (request === undefined || request.id !== chunk.id) {
        throw new ProtocolError("BAD_PAYLOAD", "A file comes that was not asked for, or out of turn.");
      }
      const work = this.#take(chunk, request);
      if (work !== undefined) await work;
      if (chunk.kind !== ChunkKind.BLOCK) chunk.release();
      // Requests must leave meanwhile, or the server would have nothing to do.
      if (yielder.isDue) await yielder.pause();
    }
  }

  #next(reader: ChunkReader): Promise<Chunk | undefined> {
    this.#outstanding[0]?.task.small?.detach();
    return reader.next();
  }

  /** @returns what to wait for before the next chunk */
  #take(chunk: Chunk, request: Request): Promise<void> | undefined {
    const { task } = request;
    switch (chunk.kind) {
      case ChunkKind.FILE: {
        if (request.isBegun) throw new ProtocolError("BAD_PAYLOAD", "A file begins twice in one answer.");
        request.isBegun = true;
        const facts = decodeJson(FileFacts, chunk.payload, "What a file is");
        // It may have grown since it was listed.
        request.allowance = Math.max(request.allowance, 2 * facts.size + SPARE_BYTES);
        return this.#arrivals.begin(task, facts);
      }
      case ChunkKind.BLOCK:
        request.allowance -= chunk.length;
        if (request.allowance < 0) {
          chunk.release();
          throw new ProtocolError("BAD_PAYLOAD", "Blocks of a file come again and again.");
        }
        return this.#arrivals.block(task, chunk);
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
    const work = task.expected > 0 ? undefined : this.#arrivals.settle(task);
    if (work === undefined) this.#wakeup.notify();
    return work?.finally(() => this.#wakeup.notify());
  }
}
