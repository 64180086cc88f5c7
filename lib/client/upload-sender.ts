import { BLOCK_BYTES } from "../block.ts";
import { StreamError, toCommError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { wireOfReason } from "../protocol/messages.ts";
import type { PutFolder } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import type { Stream } from "../session/stream.ts";
import { isSmall, type LoadedFile, type OpenFile } from "../storage/storage.ts";
import { ChunkWriter, SMALL_BYTES } from "../transfer/chunk-writer.ts";
import { FileSender } from "../transfer/file-sender.ts";
import { GrowingFile } from "../transfer/growing-file.ts";
import type { PieceOffer } from "../transfer/patch-sender.ts";
import type { Client } from "./client.ts";
import { MAX_RESTARTS, type TransferOptions, type UploadItem } from "./transfer.ts";
import { newTask, offerOf, type UploadTask } from "./upload-task.ts";
import type { UploadWindow, Wanted } from "./upload-window.ts";

type PeerFeatures = Pick<Client, "canTellHoles" | "canPatch">;

/** Sends over one stream: offers, the bytes of a small file with its offer, and the requested parts of a large one. */
export class UploadSender {
  readonly #stream: Stream;
  readonly #window: UploadWindow;
  readonly #options: TransferOptions<UploadItem>;
  readonly #can: PeerFeatures;
  readonly #writer: ChunkWriter;
  readonly #sender: FileSender;
  #sending: UploadItem | undefined;

  constructor(stream: Stream, window: UploadWindow, options: TransferOptions<UploadItem>, can: PeerFeatures) {
    const { clock, digest64, onProgress } = options;
    this.#stream = stream;
    this.#window = window;
    this.#options = options;
    this.#can = can;
    this.#writer = new ChunkWriter(stream, digest64, clock);
    this.#sender = new FileSender(this.#writer, {
      onSent: (bytes, reused) => {
        if (this.#sending !== undefined) onProgress?.(this.#sending, bytes, reused);
      },
    });
  }

  /** End the body. @throws as Stream.write() */
  async end(): Promise<void> {
    await this.#writer.flush();
    await this.#stream.end();
  }

  /** Withdraw a file that was offered. */
  async abandon(id: number): Promise<void> {
    const code = wireOfReason("DIGEST_MISMATCH");
    await this.#writer.json(ChunkKind.FAIL, id, { code, message: "It arrived damaged too often." });
  }

  /** Offer a file or folder. One that can't be read fails, and the others continue. @throws as Stream.write() */
  async offer(task: UploadTask): Promise<void> {
    this.#window.add(task);
    const { item } = task;
    if (item.kind === "folder") {
      task.isOurs = false;
      await this.#writer.json(ChunkKind.FOLDER, task.id, { path: item.to, mode: item.mode } satisfies PutFolder);
      return;
    }
    try {
      const loaded = task.file === undefined ? item.local.load(item.from, SMALL_BYTES) : undefined;
      const small = loaded instanceof Promise ? await loaded : loaded;
      const sent = small === undefined ? this.#offerOpened(task) : this.#sendSmall(task, small);
      if (sent !== undefined) await sent;
    } catch (thrown) {
      if (this.#stream.isClosed) throw thrown;
      await this.#window.finish(task);
      this.#options.onFailed(item, toCommError(thrown));
    }
  }

  async #offerOpened(task: UploadTask): Promise<void> {
    const { item } = task;
    task.file ??= await item.local.open(item.from);
    if (!this.#window.holds(task)) return this.#closeAnswered(task);
    const { size } = task.file.entry;
    task.size = size;
    task.etag = task.file.entry.etag;
    task.holes = this.#can.canTellHoles ? task.file.holes() : [];
    const isEager = isSmall({ size });
    const { exists, blockTag } = this.#options;
    const mayReuse = !isEager && exists === "overwrite" && blockTag !== undefined && this.#can.canPatch;
    Object.assign(task, { watched: undefined, offersFrom: mayReuse ? 0 : undefined, owed: 0 });
    const older = mayReuse ? (item.older ?? item.to) : undefined;
    this.#window.weigh(task, isEager ? size : undefined);
    task.isOurs = isEager;
    await this.#writer.json(ChunkKind.FILE, task.id, offerOf(item, task.file.entry, exists, task.holes, older));
    if (!isEager) return;
    this.#options.onStart?.(item, 0, size);
    await this.send({ task, ranges: size === 0 ? [] : [[0, size]] });
    await task.file?.close();
    task.file = undefined;
  }

  /**
   * Send all of a small file, without waiting for an answer.
   *
   * @returns a promise that settles when the next file may be sent; undefined: at once
   */
  #sendSmall(task: UploadTask, { entry, bytes }: LoadedFile): Promise<void> | undefined {
    const { id, item } = task;
    task.size = bytes.length;
    task.etag = entry.etag;
    this.#window.weigh(task, bytes.length);
    const offered = this.#writer.json(ChunkKind.FILE, id, offerOf(item, entry, this.#options.exists));
    this.#options.onStart?.(item, 0, task.size);
    task.isSealed = true;
    task.isOurs = false;
    this.#sending = item;
    const sent = this.#sender.sendLoaded(id, bytes);
    this.#sending = undefined;
    return offered === undefined ? sent : Promise.all([offered, sent]).then(() => {});
  }

  /** Send the parts of a file that the server requested. @throws as Stream.write() */
  async send(wanted: Wanted): Promise<void> {
    const { task } = wanted;
    this.#sending = task.item;
    try {
      // The file was closed after it was sent with its offer, and arrived damaged.
      task.file ??= await task.item.local.open(task.item.from);
      if (!this.#window.holds(task)) return await this.#closeAnswered(task);
      if (task.file.entry.etag !== task.etag) {
        throw new StreamError("CHANGED", `${quote(task.item.from)} changed while it was sent.`);
      }
      if ("offer" in wanted) return await this.#patch(task, task.file, wanted.offer);
      const { holes, watched } = task;
      await this.#sender.sendBlocks(task.id, task.file, wanted.ranges, { holes, watched });
      task.watched = undefined;
      task.isSealed = true;
      task.isOurs = false;
      await this.#sender.seal(task.id);
    } catch (thrown) {
      if (this.#stream.isClosed) throw thrown;
      await this.#sourceFailed(task, thrown);
    } finally {
      this.#sending = undefined;
    }
  }

  /** Send the blocks that the server has pieces of. @throws as FileSender.patch() */
  async #patch(task: UploadTask, file: OpenFile, offer: PieceOffer): Promise<void> {
    const { blockTag } = this.#options;
    if (blockTag === undefined) return;
    task.watched ??= new GrowingFile(file);
    await this.#sender.patch(task.id, task.watched, offer, { holes: task.holes, blockTag });
    task.owed -= Math.ceil((offer.to - offer.from) / BLOCK_BYTES);
    task.isOurs = task.owed > 0;
  }

  async #sourceFailed(task: UploadTask, thrown: unknown): Promise<void> {
    // The server has failed the file meanwhile: that was reported, and the file is closed.
    if (!this.#window.holds(task)) return;
    const error = toCommError(thrown);
    const reason = { code: wireOfReason(error.code), message: "The source has failed." };
    await this.#writer.json(ChunkKind.FAIL, task.id, reason);
    await this.#window.finish(task);
    if (error.code !== "CHANGED" || task.restarts >= MAX_RESTARTS) return this.#options.onFailed(task.item, error);
    this.#options.onRestart?.(task.item);
    const { busy, overloads } = task;
    this.#window.putAgain({ ...newTask(task.item), busy, overloads, restarts: task.restarts + 1 });
  }

  /** Close a file that the server gave its final answer for while it was being opened. */
  async #closeAnswered(task: UploadTask): Promise<void> {
    const { file } = task;
    task.file = undefined;
    await file?.close();
  }
}
