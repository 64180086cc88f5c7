import { CommError, codeOfWire, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { ChunkKind, isOfBlock } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason } from "../protocol/messages.ts";
import { FileFacts } from "../protocol/methods.ts";
import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";
import { isSmall } from "../storage/storage.ts";
import { openBasis } from "../transfer/basis.ts";
import { BlockPool } from "../transfer/block-pool.ts";
import { type Chunk, ChunkReader } from "../transfer/chunk-reader.ts";
import { CommitQueue } from "../transfer/commit-queue.ts";
import { GivenNames } from "../transfer/given-names.ts";
import { Naming } from "../transfer/naming.ts";
import { RecordSender } from "../transfer/record-sender.ts";
import { Yielder } from "../yielder.ts";
import { Arrivals } from "./arrivals.ts";
import type { Client } from "./client.ts";
import type { DownloadOptions } from "./download-options.ts";
import { DownloadPlan } from "./download-plan.ts";
import type { DownloadTask } from "./download-task.ts";
import { overIntactStreams } from "./intact-streams.ts";
import { begin, type Request, Requests, takeAllowance } from "./requests.ts";
import { type TransferItem, tellGone } from "./transfer.ts";

const POOL_BLOCKS = 3;

/** Why a stream ends early: its remaining data is not wanted, or something has failed. */
type Ending = "left" | { readonly failure: unknown };

/**
 * Fetches files into a local tree: requests ahead, verifies block by block, resumes partial files, and may run() again
 * over another link after the first was lost.
 */
export class Download {
  readonly #options: DownloadOptions;
  readonly #plan: DownloadPlan;
  readonly #arrivals: Arrivals;
  /** To request before anything new: after a lost link, a damaged block, a changed source. */
  #again: DownloadTask[] = [];
  /** Tasks to request when the server may have room for them; the values cancel that. */
  readonly #later = new Map<DownloadTask, () => void>();
  readonly #requests: Requests;
  /** The number of tasks that are not over. */
  #unfinished = 0;
  readonly #wakeup = new Wakeup();
  #stream: Stream | undefined;
  /** True when we must end our body. */
  #hasAskedAll = false;
  #ending: Ending | undefined;
  /** Something may be requested again in another run. */
  #hasFailed = false;

  /** `source` lists what to fetch; it is called again after a lost link. */
  constructor(source: (client: Client) => AsyncIterable<readonly TransferItem[]>, options: DownloadOptions) {
    const noted: DownloadOptions = {
      ...options,
      onFailed: (item, error) => {
        this.#hasFailed = true;
        options.onFailed(item, error);
      },
    };
    this.#options = tellGone(noted, (error) => error instanceof RemoteError && error.code === "NOT_FOUND");
    this.#requests = new Requests(options.isWithoutHoles !== true);
    const commits = new CommitQueue();
    const naming = new Naming(new GivenNames(), options.local, () => commits.settled());
    this.#plan = new DownloadPlan(source, naming, this.#options);
    this.#arrivals = new Arrivals(this.#options, commits, naming, {
      askAgain: (task, delayMs) => (delayMs === undefined ? this.#again.push(task) : this.#askLater(task, delayMs)),
      stop: (error) => this.#end({ failure: error }),
      leaveStream: () => this.#end("left"),
      onOver: () => {
        this.#unfinished--;
        this.#wakeup.notify();
      },
    });
  }

  /**
   * Fetch everything that is not here yet. Files that fail are reported by onFailed(). An error of the whole transfer
   * is thrown; then run() may be called again, and nothing that has arrived is requested twice.
   *
   * @throws RemoteError, TransportError when the session ends; StorageError when the local disk fails
   */
  async run(client: Client): Promise<void> {
    this.#plan.begin(client);
    await overIntactStreams(() => this.#runStreams(client));
    if (!this.#hasFailed) await this.#plan.finishFolders();
  }

  /** Keep unfinished files on the disk, to be resumed another time. */
  async close(): Promise<void> {
    for (const [task, cancel] of this.#later) {
      cancel();
      this.#again.push(task);
    }
    this.#later.clear();
    for (const { receiver } of this.#again.splice(0)) await receiver?.part.keep();
    await this.#plan.close();
  }

  /** Move everything, over a new stream after each one that was left. @throws the error of a stream */
  async #runStreams(client: Client): Promise<void> {
    let ending: Ending | undefined;
    do {
      ending = await this.#runStream(client);
    } while (ending === "left");
    if (ending !== undefined) throw ending.failure;
  }

  async #runStream(client: Client): Promise<Ending | undefined> {
    const { signal } = this.#options;
    const isWaiting = () => (!this.#requests.isEmpty || this.#hasAskedAll) && stream.isAwaited;
    const stream = client.openStream("get", {}, { body: true, isWaiting, ...(signal && { signal }) });
    this.#stream = stream;
    this.#hasAskedAll = false;
    this.#ending = undefined;
    const fail = (failure: unknown) => this.#end({ failure });
    await Promise.all([this.#takeAnswers(stream).catch(fail), this.#sendRequests(stream, client).catch(fail)]);
    await this.#arrivals.commits.settled();
    // Requests without an answer will be made again.
    for (const task of this.#requests.clear()) await this.#arrivals.interrupt(task);
    return this.#ending;
  }

  /** End the stream; the first reason counts. */
  #end(ending: Ending): void {
    this.#ending ??= ending;
    const error = ending === "left" ? new CommError("CANCELLED", "The stream was left.") : toCommError(ending.failure);
    this.#stream?.reset("CANCELLED", "The receiver can't continue.", error);
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

  async #sendRequests(stream: Stream, client: Client): Promise<void> {
    const records = new RecordSender(stream, this.#options.clock);
    for (;;) {
      if (this.#ending !== undefined) return;
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
        if (this.#mayReuse(task, client)) await this.#openBasis(task);
        const asked = this.#requests.ask(task, records);
        if (asked !== undefined) await asked;
      } else if (this.#plan.isEnded && this.#again.length === 0) {
        if (this.#unfinished === 0) break;
        await this.#wakeup.wait();
      }
    }
    this.#hasAskedAll = true;
    await records.flush();
    await stream.end();
  }

  #mayReuse({ item, mayReuse }: DownloadTask, client: Client): boolean {
    const { exists, blockTag } = this.#options;
    return mayReuse && exists === "overwrite" && !isSmall(item) && blockTag !== undefined && client.canPatch;
  }

  async #openBasis(task: DownloadTask): Promise<void> {
    task.basis = await openBasis(this.#options.local, task.item.older ?? task.path, this.#options);
    if (task.receiver !== undefined) task.receiver.basis = task.basis;
  }

  #isFull(): boolean {
    if (this.#options.isSequential) return this.#unfinished > this.#again.length;
    return this.#requests.isFull;
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    const reader = new ChunkReader(stream, new BlockPool(POOL_BLOCKS), this.#options.digest64);
    const yielder = new Yielder(this.#options.clock);
    for (;;) {
      const chunk = reader.take() ?? (await this.#next(reader));
      if (chunk === undefined) {
        if (this.#hasAskedAll) return;
        throw new ProtocolError("BAD_PAYLOAD", "The server ends before the last request.");
      }
      const work = this.#take(chunk, this.#requests.answeredBy(chunk));
      if (work !== undefined) await work;
      if (!isOfBlock(chunk.kind)) chunk.release();
      if (this.#ending !== undefined) return;
      // Requests must leave in between, or the server would have nothing to do.
      if (yielder.isDue) await yielder.pause();
    }
  }

  #next(reader: ChunkReader): Promise<Chunk | undefined> {
    this.#requests.first?.task.small?.detach();
    return reader.next();
  }

  /** @returns a promise that settles when the next chunk may come; undefined: at once */
  #take(chunk: Chunk, request: Request): Promise<void> | undefined {
    const { task } = request;
    switch (chunk.kind) {
      case ChunkKind.FILE: {
        const facts = decodeJson(FileFacts, chunk.payload, "What a file is");
        begin(request, facts.size);
        return this.#arrivals.begin(task, facts);
      }
      case ChunkKind.BLOCK:
      case ChunkKind.PATCH:
        takeAllowance(request, chunk);
        return this.#arrivals.block(task, chunk);
      case ChunkKind.FAIL: {
        const { code, message } = decodeJson(Reason, chunk.payload, "A refusal");
        task.failure ??= new RemoteError(codeOfWire(code), message);
        return this.#answered(task);
      }
      case ChunkKind.SEAL:
        return this.#answered(task);
      default:
        throw new ProtocolError("BAD_PAYLOAD", "A folder comes in a download.");
    }
  }

  #answered(task: DownloadTask): Promise<void> | undefined {
    this.#requests.shift();
    task.expected--;
    const work = task.expected > 0 ? undefined : this.#arrivals.settle(task);
    if (work === undefined) this.#wakeup.notify();
    return work?.finally(() => this.#wakeup.notify());
  }
}
