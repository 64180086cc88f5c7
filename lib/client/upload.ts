import type { Range } from "../block.ts";
import { CommError, codeOfWire, ProtocolError, RemoteError, StreamError, toCommError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { wireOfReason } from "../protocol/messages.ts";
import { PutAnswer, type PutFolder } from "../protocol/methods.ts";
import { decodeRecordBatches } from "../protocol/records.ts";
import { quote } from "../quote.ts";
import type { Stream } from "../session/stream.ts";
import { Wakeup } from "../session/wakeup.ts";
import { isSmall, type LoadedFile } from "../storage/storage.ts";
import { ChunkWriter } from "../transfer/chunk-writer.ts";
import { FileSender, SMALL_BYTES } from "../transfer/file-sender.ts";
import { Yielder } from "../yielder.ts";
import { Batches } from "./batches.ts";
import type { Client } from "./client.ts";
import { overIntactStreams } from "./intact-streams.ts";
import {
  MAX_OUTSTANDING,
  MAX_OUTSTANDING_BYTES,
  MAX_OVERLOADS,
  MAX_RESTARTS,
  overloadDelayMs,
  type TransferOptions,
  tellGone,
  type UploadItem,
} from "./transfer.ts";
import { checkRanges, checkStored, newTask, offerOf, type UploadTask } from "./upload-task.ts";

/** Files of several blocks that are offered at once: one that moves, and the next. */
const MAX_LARGE = 2;
/** How often and how long a file is waited for that another link of ours may still have. */
const BUSY_RETRIES = 20;
const BUSY_RETRY_MS = 250;
/** How often the server may want parts of a file: first what is missing, then what arrived damaged. */
const MAX_ROUNDS = 6;

/**
 * Sends files of a local tree to the server: small ones ahead of their answers, large ones as the server asks for them.
 * run() may be called again over another link after the first was lost.
 */
export class Upload {
  readonly #options: TransferOptions<UploadItem>;
  readonly #items: Batches<UploadItem>;
  /** To be offered before anything new. */
  #again: UploadTask[] = [];
  /** Offered and not answered for good. */
  readonly #offered = new Map<number, UploadTask>();
  /** What the server wants, in the order in which it said so. */
  #wanted: { task: UploadTask; ranges: readonly Range[] }[] = [];
  /** Given up, which the server has not been told. */
  #abandoned: number[] = [];
  #weight = 0;
  #large = 0;
  #isReconnected = false;
  #canTellHoles = false;
  readonly #wakeup = new Wakeup();
  #nextId = 0;
  #sending: UploadItem | undefined;
  /** Our own end of the body is due. */
  #hasSentAll = false;
  #failure: unknown;

  constructor(batches: AsyncIterable<readonly UploadItem[]>, options: TransferOptions<UploadItem>) {
    this.#items = new Batches(batches);
    this.#options = tellGone(options, isGoneHere);
  }

  /**
   * Send all that is not there yet. Files that can't be sent are told by onFailed(); what fails the transfer as a
   * whole is thrown, and then run() may be called again.
   *
   * @throws RemoteError, TransportError when the session ends or the server takes no files
   */
  async run(client: Client): Promise<void> {
    this.#canTellHoles = client.canTellHoles;
    try {
      await overIntactStreams(async () => {
        this.#failure = undefined;
        await this.#runStream(client);
        await this.#settle();
        if (this.#failure !== undefined) throw this.#failure;
      });
    } finally {
      this.#isReconnected = true;
    }
  }

  async #runStream(client: Client): Promise<void> {
    const { signal } = this.#options;
    const isWaiting = () => stream.isSending || (stream.isAwaited && this.#isOwed());
    const stream = client.openStream("put", {}, { body: true, isWaiting, ...(signal && { signal }) });
    this.#hasSentAll = false;
    const answers = this.#takeAnswers(stream).catch((thrown) => this.#stop(stream, thrown));
    const sending = this.#send(stream).catch((thrown) => this.#stop(stream, thrown));
    await Promise.all([answers, sending]);
  }

  /** True while the server has something to answer; not while a slow disk of ours keeps it waiting. */
  #isOwed(): boolean {
    if (this.#hasSentAll) return true;
    for (const task of this.#offered.values()) if (!task.isOurs) return true;
    return false;
  }

  async close(): Promise<void> {
    this.#again = [];
    await this.#items.close();
  }

  #stop(stream: Stream, thrown: unknown): void {
    this.#failure ??= thrown;
    stream.reset("CANCELLED", "The sender can't go on.", toCommError(thrown));
    this.#wakeup.notify();
  }

  /** What was not answered will be offered again; the server tells what it has of it. */
  async #settle(): Promise<void> {
    for (const task of this.#offered.values()) {
      await this.#release(task);
      task.rounds = 0;
      this.#again.push(task);
    }
    this.#offered.clear();
    this.#wanted = [];
    this.#abandoned = [];
  }

  async #send(stream: Stream): Promise<void> {
    const { clock, digest64, onProgress } = this.#options;
    const writer = new ChunkWriter(stream, digest64, clock);
    const sender = new FileSender(writer, {
      onSent: (bytes) => {
        if (this.#sending !== undefined) onProgress?.(this.#sending, bytes);
      },
    });
    const yielder = new Yielder(clock);
    for (;;) {
      if (this.#failure !== undefined) return;
      const abandoned = this.#abandoned.shift();
      const wanted = abandoned === undefined ? this.#wanted.shift() : undefined;
      if (abandoned !== undefined) {
        const code = wireOfReason("DIGEST_MISMATCH");
        await writer.json(ChunkKind.FAIL, abandoned, { code, message: "It arrived damaged too often." });
      } else if (wanted !== undefined) {
        await this.#sendRanges(wanted.task, wanted.ranges, writer, sender, stream);
      } else if (this.#isFull()) {
        await this.#wakeup.wait();
      } else if (!(await this.#offerNext(writer, sender, stream))) {
        if (this.#offered.size + this.#again.length + this.#abandoned.length === 0) break;
        await this.#wakeup.wait();
      }
      await yielder.pause();
    }
    this.#hasSentAll = true;
    await writer.flush();
    await stream.end();
  }

  #isFull(): boolean {
    return this.#offered.size >= MAX_OUTSTANDING || this.#weight >= MAX_OUTSTANDING_BYTES || this.#large >= MAX_LARGE;
  }

  /** @returns false when there is nothing to offer at present */
  async #offerNext(writer: ChunkWriter, sender: FileSender, stream: Stream): Promise<boolean> {
    const task = this.#again.shift() ?? (await this.#nextTask());
    if (task === undefined) return !this.#items.isEnded;
    // Not before: numbers rise in the order in which they are sent.
    task.id = this.#nextId++;
    this.#offered.set(task.id, task);
    task.isSealed = false;
    task.isOurs = true;
    const { item } = task;
    if (item.kind === "folder") {
      task.isOurs = false;
      await writer.json(ChunkKind.FOLDER, task.id, { path: item.to, mode: item.mode } satisfies PutFolder);
      return true;
    }
    try {
      if (task.file === undefined) {
        const loaded = item.local.load(item.from, SMALL_BYTES);
        const small = loaded instanceof Promise ? await loaded : loaded;
        if (small !== undefined) {
          const sent = this.#sendSmall(task, small, writer, sender);
          if (sent !== undefined) await sent;
          return true;
        }
      }
      task.file ??= await item.local.open(item.from);
      if (!(await this.#isAwaited(task))) return true;
      const { size } = task.file.entry;
      task.size = size;
      task.etag = task.file.entry.etag;
      task.holes = this.#canTellHoles ? task.file.holes() : [];
      const isEager = isSmall({ size });
      task.weight = isEager ? size : 0;
      this.#weight += task.weight;
      if (!isEager) this.#large++;
      task.isOurs = isEager;
      await writer.json(ChunkKind.FILE, task.id, offerOf(item, task.file.entry, this.#options.exists, task.holes));
      if (!isEager) return true;
      this.#options.onStart?.(item, 0, size);
      await this.#sendRanges(task, size === 0 ? [] : [[0, size]], writer, sender, stream);
      await task.file?.close();
      task.file = undefined;
    } catch (thrown) {
      if (stream.isClosed) throw thrown;
      await this.#finish(task);
      this.#options.onFailed(item, toCommError(thrown));
    }
    return true;
  }

  /** All of a small file, ahead of every answer. @returns what to wait for before the next */
  #sendSmall(
    task: UploadTask,
    { entry, bytes }: LoadedFile,
    writer: ChunkWriter,
    sender: FileSender,
  ): Promise<void> | undefined {
    const { id, item } = task;
    task.weight = bytes.length;
    task.size = bytes.length;
    task.etag = entry.etag;
    this.#weight += task.weight;
    const offered = writer.json(ChunkKind.FILE, id, offerOf(item, entry, this.#options.exists));
    this.#options.onStart?.(item, 0, task.size);
    task.isSealed = true;
    task.isOurs = false;
    this.#sending = item;
    const sent = sender.sendLoaded(id, bytes);
    this.#sending = undefined;
    return offered === undefined ? sent : Promise.all([offered, sent]).then(() => {});
  }

  #nextTask(): UploadTask | undefined | Promise<undefined> {
    const item = this.#items.next();
    return item === undefined || item instanceof Promise ? item : newTask(item);
  }

  async #sendRanges(
    task: UploadTask,
    ranges: readonly Range[],
    writer: ChunkWriter,
    sender: FileSender,
    stream: Stream,
  ): Promise<void> {
    const { onFailed, onRestart } = this.#options;
    this.#sending = task.item;
    try {
      // Closed after an eager sending that arrived damaged.
      task.file ??= await task.item.local.open(task.item.from);
      if (!(await this.#isAwaited(task))) return;
      if (task.file.entry.etag !== task.etag) {
        throw new StreamError("CHANGED", `${quote(task.item.from)} changed while it was sent.`);
      }
      await sender.sendBlocks(task.id, task.file, ranges, { holes: task.holes });
      task.isSealed = true;
      task.isOurs = false;
      await sender.seal(task.id);
    } catch (thrown) {
      if (stream.isClosed) throw thrown;
      // The server has failed it meanwhile, and so it was told and closed.
      if (this.#offered.get(task.id) !== task) return;
      const error = toCommError(thrown);
      await writer.json(ChunkKind.FAIL, task.id, { code: wireOfReason(error.code), message: "The source has failed." });
      await this.#finish(task);
      if (error.code !== "CHANGED" || task.restarts >= MAX_RESTARTS) return onFailed(task.item, error);
      onRestart?.(task.item);
      const { busy, overloads } = task;
      this.#again.push({ ...newTask(task.item), busy, overloads, restarts: task.restarts + 1 });
    } finally {
      this.#sending = undefined;
    }
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    for await (const answers of decodeRecordBatches(PutAnswer, stream.pieces())) {
      for (const answer of answers) {
        const task = this.#offered.get(answer.id);
        // Else it is one that failed here meanwhile.
        if (task !== undefined) await this.#takeAnswer(task, answer);
      }
      this.#wakeup.notify();
    }
    if (this.#hasSentAll && this.#offered.size === 0) return;
    throw new ProtocolError("UNEXPECTED_FRAME", "The server ends before it has answered.");
  }

  async #takeAnswer(task: UploadTask, answer: PutAnswer): Promise<void> {
    const { item } = task;
    switch (answer.state) {
      case "ready": {
        checkRanges(task, answer.ranges);
        if (++task.rounds > MAX_ROUNDS) {
          await this.#finish(task);
          this.#abandoned.push(task.id);
          const message = `${quote(item.from)} arrived damaged ${MAX_ROUNDS} times.`;
          return this.#options.onFailed(item, new CommError("DIGEST_MISMATCH", message));
        }
        const bytes = answer.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
        if (!isSmall(task)) this.#options.onStart?.(item, task.size - bytes, task.size);
        task.isOurs = true;
        this.#wanted.push({ task, ranges: answer.ranges });
        return;
      }
      case "done":
        checkStored(task, answer.outcome);
        if (task.file === undefined) this.#forget(task);
        else await this.#finish(task);
        return this.#options.onDone(item, answer.outcome, answer.path, item.kind === "file" ? task.size : 0);
      case "failed": {
        await this.#finish(task);
        const error = new RemoteError(codeOfWire(answer.code), answer.message);
        const delayMs = this.#retryDelayMs(task, error);
        if (delayMs === undefined) return this.#options.onFailed(item, error);
        this.#retryLater(task, delayMs);
      }
    }
  }

  /** @returns after how long it is offered again; undefined: not at all */
  #retryDelayMs(task: UploadTask, { code }: CommError): number | undefined {
    // Other files may have all its descriptors.
    if (code === "OVERLOADED" && task.overloads < MAX_OVERLOADS) return overloadDelayMs(task.overloads++);
    // It may not have noticed yet that our last link is gone.
    if (code !== "BUSY" || !this.#isReconnected || task.busy++ >= BUSY_RETRIES) return undefined;
    return BUSY_RETRY_MS;
  }

  #retryLater(task: UploadTask, delayMs: number): void {
    const { id } = task;
    task.isOurs = true;
    this.#offered.set(id, task);
    this.#options.clock.after(delayMs, () => {
      // Unless the link was lost meanwhile, which has put it there already.
      if (this.#offered.get(id) !== task) return;
      this.#offered.delete(id);
      this.#again.push({ ...task });
      this.#wakeup.notify();
    });
  }

  /** False when a server has answered while its file was being opened; then that is closed again. */
  async #isAwaited(task: UploadTask): Promise<boolean> {
    if (this.#offered.get(task.id) === task) return true;
    const { file } = task;
    task.file = undefined;
    await file?.close();
    return false;
  }

  /** It needs no more answers. */
  async #finish(task: UploadTask): Promise<void> {
    this.#forget(task);
    await this.#release(task);
  }

  #forget(task: UploadTask): void {
    this.#offered.delete(task.id);
    this.#weight -= task.weight;
    task.weight = 0;
    if (this.#wanted.length > 0) this.#wanted = this.#wanted.filter((wanted) => wanted.task !== task);
  }

  async #release(task: UploadTask): Promise<void> {
    this.#weight -= task.weight;
    task.weight = 0;
    const { file } = task;
    task.file = undefined;
    if (file !== undefined && !isSmall(file.entry)) this.#large--;
    await file?.close();
  }
}

/** The file itself has gone; what the server misses is another matter. */
function isGoneHere(error: CommError): boolean {
  return !(error instanceof RemoteError) && (error.code === "NO_SUCH_FILE" || error.code === "NOT_FOUND");
}
