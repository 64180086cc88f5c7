import type { Digest64, Range } from "../block.ts";
import { type ErrorCode, StreamError } from "../errors.ts";
import { checkPath, parentOf } from "../path.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { wireOfReason } from "../protocol/messages.ts";
import { type PutAnswer, PutFile, PutFolder } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type Storage } from "../storage/storage.ts";
import { BlockPool } from "./block-pool.ts";
import { type Chunk, ChunkReader } from "./chunk-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import { FileReceiver } from "./file-receiver.ts";
import { Pacer } from "./pacer.ts";
import { RecordSender } from "./record-sender.ts";
import { SmallFile } from "./small-file.ts";

/** Blocks in memory: one that arrives, two that are written. */
const POOL_BLOCKS = 3;
/** Files of several blocks that may be open at once. */
const MAX_LARGE = 8;
/** Files of one block that may be between their beginning and their end. */
const MAX_SMALL = 16;
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

/** A small file on its way. */
class Held extends SmallFile {
  readonly exists: ExistsPolicy;

  constructor(path: string, facts: FileFacts, exists: ExistsPolicy) {
    super(path, facts);
    this.exists = exists;
  }
}

/** The receiving side of `put`. Source: PROTOCOL.md, "put". */
export class PutReceiver {
  readonly #options: PutReceiverOptions;
  readonly #answers: RecordSender;
  /** Files under way, by the sender's number. What comes for any other number is late, and means nothing. */
  readonly #files = new Map<number, FileReceiver | Held>();
  /** Folders that this stream has made: what comes into them can find nothing there. */
  readonly #madeFolders = new Set<string>();
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
      for (;;) {
        const chunk = reader.take() ?? (await reader.next());
        if (chunk === undefined) break;
        await this.#take(chunk);
        if (pacer.isDue) await pacer.pause();
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
    checkPath(path);
    let free = path;
    if (!this.#madeFolders.has(parentOf(path))) {
      const placement = await storage.place(path, facts, exists);
      if (placement.outcome !== "vacant") {
        return this.#answer({ id, state: "done", path: placement.path, outcome: placement.outcome });
      }
      free = placement.path;
    }
    this.#requireFew(facts);
    if (isSmall(facts)) {
      this.#files.set(id, new Held(free, facts, exists));
      return;
    }
    const file = new FileReceiver(await storage.receive(free, facts, exists));
    this.#files.set(id, file);
    this.#ask(id, file.part.missing);
  }

  /** What a sender may leave unfinished is bounded. @throws StreamError TOO_MANY_STREAMS */
  #requireFew(facts: FileFacts): void {
    const limit = isSmall(facts) ? MAX_SMALL : MAX_LARGE;
    if (this.#files.size < limit) return;
    let count = 0;
    for (const file of this.#files.values()) if (file instanceof Held === isSmall(facts)) count++;
    if (count >= limit) throw new StreamError("TOO_MANY_STREAMS", `${limit} such files are under way.`);
  }

  async #makeFolder(id: number, path: string): Promise<void> {
    if (await this.#options.storage.makeFolder(checkPath(path))) this.#madeFolders.add(path);
    this.#answer({ id, state: "done", path, outcome: "stored" });
  }

  async #seal(id: number, file: FileReceiver | Held): Promise<void> {
    if (file instanceof Held) return this.#sealSmall(id, file);
    const missing = await file.sealed();
    if (missing.length > 0) return this.#ask(id, missing);
    await this.#commit(id, file.part.facts, () => file.part.commit());
  }

  async #sealSmall(id: number, file: Held): Promise<void> {
    const { path, facts, exists } = file;
    const bytes = file.sealed();
    if (bytes === undefined) return this.#ask(id, [[0, facts.size]]);
    await this.#commit(id, facts, () => this.#options.storage.store(path, facts, exists, bytes));
  }

  async #commit(id: number, facts: FileFacts, commit: () => Promise<string>): Promise<void> {
    this.#files.delete(id);
    const room = this.#commits.add(async () => {
      try {
        const path = await commit();
        this.#options.onStored(path, facts.size);
        this.#answer({ id, state: "done", path, outcome: "stored" });
      } catch (thrown) {
        await this.#fail(id, thrown);
      }
    });
    if (room !== undefined) await room;
  }

  /** The source has changed, or can't be read: what is here of it will not be needed. */
  async #forget(id: number, file: FileReceiver | Held): Promise<void> {
    this.#files.delete(id);
    if (file instanceof Held) return;
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
}

async function keep(file: FileReceiver | Held): Promise<void> {
  if (file instanceof Held) return;
  await file.settle();
  await file.part.keep();
}
