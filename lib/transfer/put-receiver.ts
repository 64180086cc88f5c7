import type { Digest64, Range } from "../block.ts";
import { type ErrorCode, StreamError } from "../errors.ts";
import { checkPath } from "../path.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { wireOfReason } from "../protocol/messages.ts";
import { type PutAnswer, PutFile, PutFolder } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import { isSmall, type Storage } from "../storage/storage.ts";
import { BlockPool } from "./block-pool.ts";
import { type Chunk, ChunkReader } from "./chunk-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import { FileReceiver } from "./file-receiver.ts";
import { Pacer } from "./pacer.ts";
import { RecordSender } from "./record-sender.ts";

/** Blocks in memory: one that arrives, two that are written. */
const POOL_BLOCKS = 3;
/** Files of several blocks that may be open at once. */
const MAX_LARGE = 8;
/** Ranges in one answer: what surely fits a record. */
const MAX_RANGES = 1_000;

export interface PutReceiverOptions {
  readonly stream: Stream;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly digest64: Digest64;
  onStored(path: string, size: number): void;
  /** A failure in words for the sender. */
  describe(thrown: unknown): { code: ErrorCode; message: string };
}

/** The receiving side of `put`. Source: PROTOCOL.md, "put". */
export class PutReceiver {
  readonly #options: PutReceiverOptions;
  readonly #answers: RecordSender;
  /** Files under way, by the sender's number. What comes for any other number is late, and means nothing. */
  readonly #files = new Map<number, FileReceiver>();
  readonly #commits = new CommitQueue();

  constructor(options: PutReceiverOptions) {
    this.#options = options;
    this.#answers = new RecordSender(options.stream, options.clock);
  }

  /** Take all until the sender ends its body. @throws as ChunkReader.next(); as Stream.write() */
  async run(): Promise<void> {
    const { stream, digest64, clock } = this.#options;
    const reader = new ChunkReader(stream, new BlockPool(POOL_BLOCKS), digest64);
    const pacer = new Pacer(clock);
    try {
      for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
        await this.#take(chunk);
        await pacer.pause();
      }
      await this.#commits.settled();
      await this.#answers.flush();
    } finally {
      await this.#commits.settled();
      await Promise.all([...this.#files.values()].map((file) => keep(file)));
    }
  }

  async #take(chunk: Chunk): Promise<void> {
    const { id } = chunk;
    const file = this.#files.get(id);
    try {
      switch (chunk.kind) {
        case ChunkKind.FILE:
          return await this.#begin(id, decodeJson(PutFile, chunk.payload, "A file"));
        case ChunkKind.FOLDER:
          return await this.#makeFolder(id, decodeJson(PutFolder, chunk.payload, "A folder").path);
        case ChunkKind.BLOCK:
          return file === undefined ? chunk.release() : file.take(chunk);
        case ChunkKind.SEAL:
          return file === undefined ? undefined : await this.#seal(id, file);
        case ChunkKind.FAIL:
          return file === undefined ? undefined : await this.#forget(id, file);
      }
    } catch (thrown) {
      if (this.#options.stream.isClosed) throw thrown;
      await this.#fail(id, thrown);
    } finally {
      // Of what is not a block, the payload is not needed any more; a block's receiver gives it back itself.
      if (chunk.kind !== ChunkKind.BLOCK) chunk.release();
    }
  }

  async #begin(id: number, { path, exists, ...facts }: PutFile): Promise<void> {
    const { storage } = this.#options;
    if (this.#files.has(id)) throw new StreamError("BAD_PARAMS", `The number ${id} is taken.`);
    const placement = await storage.place(checkPath(path), facts, exists);
    if (placement.outcome !== "vacant") {
      return this.#answer({ id, state: "done", path: placement.path, outcome: placement.outcome });
    }
    if (!isSmall(facts) && this.#largeFiles() >= MAX_LARGE) {
      throw new StreamError("TOO_MANY_STREAMS", `${MAX_LARGE} large files are under way.`);
    }
    const file = new FileReceiver(await storage.receive(placement.path, facts, exists));
    this.#files.set(id, file);
    if (!isSmall(facts)) this.#ask(id, file.part.missing);
  }

  async #makeFolder(id: number, path: string): Promise<void> {
    await this.#options.storage.makeFolder(checkPath(path));
    this.#answer({ id, state: "done", path, outcome: "stored" });
  }

  async #seal(id: number, file: FileReceiver): Promise<void> {
    const missing = await file.sealed();
    if (missing.length > 0) return this.#ask(id, missing);
    this.#files.delete(id);
    await this.#commits.add(async () => {
      try {
        const path = await file.part.commit();
        this.#options.onStored(path, file.part.facts.size);
        this.#answer({ id, state: "done", path, outcome: "stored" });
      } catch (thrown) {
        await this.#fail(id, thrown);
      }
    });
  }

  /** The source has changed, or can't be read: what is here of it will not be needed. */
  async #forget(id: number, file: FileReceiver): Promise<void> {
    this.#files.delete(id);
    await file.settle();
    await file.part.discard();
  }

  async #fail(id: number, thrown: unknown): Promise<void> {
    const file = this.#files.get(id);
    this.#files.delete(id);
    if (file !== undefined) await keep(file);
    const { code, message } = this.#options.describe(thrown);
    this.#answer({ id, state: "failed", code: wireOfReason(code), message });
  }

  #ask(id: number, missing: readonly Range[]): void {
    const ranges = missing.slice(0, MAX_RANGES).map(([from, to]): [number, number] => [from, to]);
    this.#answer({ id, state: "ready", ranges });
  }

  #answer(answer: PutAnswer): void {
    this.#answers.add(answer);
  }

  #largeFiles(): number {
    let count = 0;
    for (const { part } of this.#files.values()) if (!isSmall(part.facts)) count++;
    return count;
  }
}

async function keep(file: FileReceiver): Promise<void> {
  await file.settle();
  await file.part.keep();
}
