import type { Range } from "../block.ts";
import { codeOfWire, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { quote } from "../path.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { wireOfReason } from "../protocol/messages.ts";
import { PutAnswer } from "../protocol/methods.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { Stream } from "../session/stream.ts";
import { isSmall, type OpenFile } from "../storage/storage.ts";
import { ChunkWriter } from "../transfer/chunk-writer.ts";
import { FileSender } from "../transfer/file-sender.ts";
import { Pacer } from "../transfer/pacer.ts";
import type { Client } from "./client.ts";
import {
  MAX_OUTSTANDING,
  MAX_OUTSTANDING_BYTES,
  MAX_RESTARTS,
  type TransferOptions,
  type UploadItem,
} from "./transfer.ts";
import { Wakeup } from "./wakeup.ts";

/** Files of several blocks that are offered at once: one that moves, and the next. */
const MAX_LARGE = 2;
/** How often and how long a file is waited for that another link of ours may still have. */
const BUSY_RETRIES = 20;
const BUSY_RETRY_MS = 250;

/** One file on its way, over as many links as it takes. */
interface Task {
  readonly id: number;
  readonly item: UploadItem;
  file: OpenFile | undefined;
  /** Bytes that its sending took from the limit. */
  weight: number;
  restarts: number;
  busy: number;
}

/**
 * Sends files of a local tree to the server: small ones ahead of their answers, large ones as the server asks for them.
 * run() may be called again over another link after the first was lost.
 */
export class Upload {
  readonly #options: TransferOptions<UploadItem>;
  readonly #items: AsyncIterator<UploadItem>;
  #itemsEnded = false;
  /** To be offered before anything new. */
  #again: Task[] = [];
  /** Offered and not answered for good. */
  readonly #offered = new Map<number, Task>();
  /** What the server wants, in the order in which it said so. */
  #wanted: { task: Task; ranges: readonly Range[] }[] = [];
  #weight = 0;
  #large = 0;
  #isReconnected = false;
  readonly #wakeup = new Wakeup();
  #nextId = 0;
  #sending: UploadItem | undefined;
  #failure: unknown;

  constructor(items: AsyncIterable<UploadItem>, options: TransferOptions<UploadItem>) {
    this.#items = items[Symbol.asyncIterator]();
    this.#options = options;
  }

  /**
   * Send all that is not there yet. Files that can't be sent are told by onFailed(); what fails the transfer as a
   * whole is thrown, and then run() may be called again.
   *
   * @throws RemoteError, TransportError when the session ends or the server takes no files
   */
  async run(client: Client): Promise<void> {
    const { signal } = this.#options;
    this.#failure = undefined;
    const stream = client.openStream("put", {}, { body: true, ...(signal && { signal }) });
    const answers = this.#takeAnswers(stream).catch((thrown) => this.#stop(stream, thrown));
    const sending = this.#send(stream).catch((thrown) => this.#stop(stream, thrown));
    await Promise.all([answers, sending]);
    await this.#settle();
    this.#isReconnected = true;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#again = [];
    await this.#items.return?.();
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
      this.#again.push(task);
    }
    this.#offered.clear();
    this.#wanted = [];
  }

  async #send(stream: Stream): Promise<void> {
    const { clock, digest64, onProgress } = this.#options;
    const writer = new ChunkWriter(stream, digest64, clock);
    const sender = new FileSender(writer, (bytes) => {
      if (this.#sending !== undefined) onProgress?.(this.#sending, bytes);
    });
    const pacer = new Pacer(clock);
    for (;;) {
      if (this.#failure !== undefined) return;
      const wanted = this.#wanted.shift();
      if (wanted !== undefined) {
        await this.#sendRanges(wanted.task, wanted.ranges, writer, sender, stream);
      } else if (this.#isFull()) {
        await this.#wakeup.wait();
      } else if (!(await this.#offerNext(writer, sender, stream))) {
        if (this.#offered.size === 0 && this.#again.length === 0) break;
        await this.#wakeup.wait();
      }
      await pacer.pause();
    }
    await writer.flush();
    await stream.end();
  }

  #isFull(): boolean {
    return this.#offered.size >= MAX_OUTSTANDING || this.#weight >= MAX_OUTSTANDING_BYTES || this.#large >= MAX_LARGE;
  }

  /** @returns false when there is nothing to offer at present */
  async #offerNext(writer: ChunkWriter, sender: FileSender, stream: Stream): Promise<boolean> {
    const task = this.#again.shift() ?? (await this.#nextTask());
    if (task === undefined) return !this.#itemsEnded;
    this.#offered.set(task.id, task);
    const { item } = task;
    if (item.kind === "folder") {
      await writer.json(ChunkKind.FOLDER, task.id, { path: item.to });
      return true;
    }
    try {
      task.file ??= await item.local.open(item.from);
      const { size, modifiedAt, executable, etag } = task.file.entry;
      const isEager = isSmall({ size });
      task.weight = isEager ? size : 0;
      this.#weight += task.weight;
      if (!isEager) this.#large++;
      const exists = this.#options.exists;
      await writer.json(ChunkKind.FILE, task.id, { path: item.to, exists, size, modifiedAt, executable, etag });
      if (!isEager) return true;
      this.#options.onStart?.(item, 0);
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

  async #nextTask(): Promise<Task | undefined> {
    if (this.#itemsEnded) return undefined;
    const step = await this.#items.next();
    if (!step.done) {
      return { id: this.#nextId++, item: step.value, file: undefined, weight: 0, restarts: 0, busy: 0 };
    }
    this.#itemsEnded = true;
    return undefined;
  }

  async #sendRanges(
    task: Task,
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
      await sender.send(task.id, task.file, ranges);
    } catch (thrown) {
      if (stream.isClosed) throw thrown;
      const error = toCommError(thrown);
      await writer.json(ChunkKind.FAIL, task.id, { code: wireOfReason(error.code), message: "The source has failed." });
      await this.#finish(task);
      if (error.code !== "CHANGED" || task.restarts >= MAX_RESTARTS) return onFailed(task.item, error);
      onRestart?.(task.item);
      this.#again.push({ ...task, id: this.#nextId++, file: undefined, weight: 0, restarts: task.restarts + 1 });
    } finally {
      this.#sending = undefined;
    }
  }

  async #takeAnswers(stream: Stream): Promise<void> {
    await stream.accepted;
    for await (const answer of decodeRecords(PutAnswer, stream.pieces())) {
      const task = this.#offered.get(answer.id);
      // One that failed here meanwhile.
      if (task === undefined) continue;
      await this.#takeAnswer(task, answer);
      this.#wakeup.notify();
    }
    if (this.#offered.size > 0) throw new ProtocolError("UNEXPECTED_FRAME", "The server ends before it has answered.");
  }

  async #takeAnswer(task: Task, answer: PutAnswer): Promise<void> {
    const { item } = task;
    switch (answer.state) {
      case "ready": {
        this.#checkRanges(task, answer.ranges);
        const bytes = answer.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
        if (!isSmall(item)) this.#options.onStart?.(item, Math.max(0, item.size - bytes));
        this.#wanted.push({ task, ranges: answer.ranges });
        return;
      }
      case "done":
        await this.#finish(task);
        return this.#options.onDone(item, answer.outcome, answer.path);
      case "failed": {
        await this.#finish(task);
        const error = new RemoteError(codeOfWire(answer.code), answer.message);
        // The server may not have noticed yet that our last link is gone.
        if (error.code !== "BUSY" || !this.#isReconnected || task.busy >= BUSY_RETRIES) {
          return this.#options.onFailed(item, error);
        }
        task.busy++;
        this.#retryLater(task);
      }
    }
  }

  /** @throws ProtocolError BAD_PAYLOAD */
  #checkRanges(task: Task, ranges: readonly Range[]): void {
    const size = task.file?.entry.size ?? task.item.size;
    let before = 0;
    for (const [from, to] of ranges) {
      if (from < before || to <= from || to > size) {
        throw new ProtocolError(
          "BAD_PAYLOAD",
          `The server asks for parts of ${quote(task.item.from)} that there are not.`,
        );
      }
      before = to;
    }
  }

  #retryLater(task: Task): void {
    this.#offered.set(task.id, task);
    this.#options.clock.after(BUSY_RETRY_MS, () => {
      // Unless the link was lost meanwhile, which has put it there already.
      if (this.#offered.get(task.id) !== task) return;
      this.#offered.delete(task.id);
      this.#again.push(task);
      this.#wakeup.notify();
    });
  }

  /** It needs no more answers. */
  async #finish(task: Task): Promise<void> {
    this.#offered.delete(task.id);
    this.#wanted = this.#wanted.filter((wanted) => wanted.task !== task);
    await this.#release(task);
  }

  async #release(task: Task): Promise<void> {
    this.#weight -= task.weight;
    task.weight = 0;
    const { file } = task;
    task.file = undefined;
    if (file !== undefined && !isSmall(file.entry)) this.#large--;
    await file?.close();
  }
}
