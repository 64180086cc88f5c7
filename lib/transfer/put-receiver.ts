import type { Digest64, Range } from "../block.ts";
import { type ErrorCode, ProtocolError, toCommError } from "../errors.ts";
import { checkHoles } from "../holes.ts";
import { checkPath, type PathKind, parentOf } from "../path.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason, wireOfReason } from "../protocol/messages.ts";
import { type PutAnswer, PutFile, PutFolder } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type Storage } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import { BlockPool } from "./block-pool.ts";
import { type Chunk, ChunkReader } from "./chunk-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { GivenNames } from "./given-names.ts";
import { MadeFolders } from "./made-folders.ts";
import { Naming } from "./naming.ts";
import { discard, Held, keep, LargeFile, type PutFileState, PutFiles } from "./put-files.ts";
import { RecordSender } from "./record-sender.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** Of the nine bits of a mode. */
const OWNER_READS = 0o400;
/** Ranges in one answer: what surely fits a record. */
const MAX_RANGES = 1_000;

export interface PutReceiverOptions {
  readonly stream: Stream;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly digest64: Digest64;
  /** Blocks in memory: one that arrives, the others while they are written. */
  readonly blocks: number;
  /** Where room for them comes from and goes; absent: it is made. */
  readonly buffers?: SpareBuffers;
  /** What this client's transfer has given, also over an earlier link. */
  readonly names: GivenNames;
  /** Which of them the sender may name. */
  readonly paths: PathKind;
  /** Whether the peer may tell holes: else a member of that name means nothing. */
  readonly knowsHoles: boolean;
  /** Bytes of small files that may be between their beginning and their end; one of them may always be. */
  readonly heldBytes: number;
  onStored(path: string, size: number): void;
  /** A failure in words for the sender. */
  describe(thrown: unknown): { code: ErrorCode; message: string };
}

/** The receiving side of `put`. Source: PROTOCOL.md, "put". */
export class PutReceiver {
  readonly #options: PutReceiverOptions;
  readonly #answers: RecordSender;
  /** Files under way, by the sender's number. What comes for any other that was used is late, and means nothing. */
  readonly #files: PutFiles;
  /** Each file and folder has a number above those before: so a number that was used is known without a list of all. */
  #lastId = -1;
  readonly #madeFolders = new MadeFolders();
  readonly #commits = new CommitQueue();
  readonly #naming: Naming;

  constructor(options: PutReceiverOptions) {
    this.#options = options;
    this.#naming = new Naming(options.names, options.storage, () => this.#commits.settled());
    this.#files = new PutFiles(options.heldBytes);
    this.#answers = new RecordSender(options.stream, options.clock);
  }

  /** True while something is brought to the disk, whatever the sender does. */
  get isAtWork(): boolean {
    return this.#commits.size > 0;
  }

  /** Take all until the sender ends its body. @throws as ChunkReader.next(); as Stream.write() */
  async run(): Promise<void> {
    const { stream, digest64, clock, blocks, buffers } = this.#options;
    const pool = new BlockPool(blocks, buffers);
    const reader = new ChunkReader(stream, pool, digest64);
    const yielder = new Yielder(clock);
    try {
      for (;;) {
        const chunk = reader.take() ?? (await this.#next(reader));
        if (chunk === undefined) break;
        const work = this.#take(chunk);
        if (work !== undefined) await work;
        // Who does not read its answers is not read from either.
        if (this.#answers.isFull) await this.#answers.flush();
        if (yielder.isDue) await yielder.pause();
      }
      await this.#commits.settled();
      await this.#answers.flush();
    } finally {
      await this.#commits.settled();
      await this.#files.keep();
      pool.close();
    }
  }

  #next(reader: ChunkReader): Promise<Chunk | undefined> {
    this.#files.detach();
    return reader.next();
  }

  /** @returns what to wait for before the next chunk */
  #take(chunk: Chunk): Promise<void> | undefined {
    try {
      const work = this.#handle(chunk);
      if (work === undefined) return undefined;
      return work.catch((thrown) => this.#refuse(chunk.id, thrown));
    } catch (thrown) {
      return this.#refuse(chunk.id, thrown);
    }
  }

  #handle(chunk: Chunk): Promise<void> | undefined {
    const { id, kind, payload } = chunk;
    const file = this.#files.get(id);
    if (kind === ChunkKind.BLOCK && file !== undefined) return this.#files.take(file, chunk);
    try {
      return this.#handleOther(id, kind, payload, file);
    } finally {
      // Whatever it says was read at once.
      chunk.release();
    }
  }

  #handleOther(
    id: number,
    kind: ChunkKind,
    payload: Uint8Array,
    file: PutFileState | undefined,
  ): Promise<void> | undefined {
    switch (kind) {
      case ChunkKind.FILE:
        this.#use(id);
        return this.#begin(id, decodeJson(PutFile, payload, "A file"));
      case ChunkKind.FOLDER:
        this.#use(id);
        return this.#makeFolder(id, decodeJson(PutFolder, payload, "A folder"));
      case ChunkKind.FAIL:
        decodeJson(Reason, payload, "A failure");
        break;
      default:
    }
    if (id > this.#lastId) throw new ProtocolError("BAD_PAYLOAD", `No file was begun under the number ${id}.`);
    if (file === undefined) return undefined;
    if (kind === ChunkKind.FAIL) return this.#forget(id, file);
    return file instanceof Held ? this.#sealSmall(id, file) : this.#seal(id, file);
  }

  /** @throws ProtocolError BAD_PAYLOAD when the number is not above all before */
  #use(id: number): void {
    if (id <= this.#lastId) {
      throw new ProtocolError("BAD_PAYLOAD", `The number ${id} of a file comes after ${this.#lastId}.`);
    }
    this.#lastId = id;
  }

  async #refuse(id: number, thrown: unknown): Promise<void> {
    // Who breaks the protocol is not to be trusted with the next file either.
    if (this.#options.stream.isClosed || thrown instanceof ProtocolError) throw thrown;
    await this.#fail(id, thrown);
  }

  #begin(id: number, { path, exists, ...facts }: PutFile): Promise<void> | undefined {
    checkPath(path, this.#options.paths);
    if (this.#options.knowsHoles) checkHoles(path, facts.size, facts.holes);
    else delete facts.holes;
    // What nobody here could read would only be in the way.
    if (facts.mode !== undefined) facts.mode |= OWNER_READS;
    this.#files.requireRoom(facts);
    const canMeet = !this.#madeFolders.has(parentOf(path)) || this.#naming.isInQuestion(path);
    if (!isSmall(facts) || canMeet) return this.#beginAt(id, path, exists, facts);
    this.#files.add(id, new Held(path, facts, exists));
    return undefined;
  }

  async #beginAt(id: number, path: string, exists: ExistsPolicy, facts: FileFacts): Promise<void> {
    const { storage } = this.#options;
    const placement = await storage.place(path, facts, exists, await this.#naming.isAnothers(path));
    if (placement.outcome !== "vacant") {
      if (placement.outcome === "unchanged") this.#naming.note(placement.path);
      return this.#answer({ id, state: "done", path: placement.path, outcome: placement.outcome });
    }
    if (isSmall(facts)) {
      // Not the path that was free just now: with "rename" another may have got it when this one is whole.
      this.#files.add(id, new Held(path, facts, exists));
      return;
    }
    const receive = () => storage.receive(placement.path, facts, exists);
    const part = await receive().catch(async (thrown) => {
      const freed = this.#commits.freeing(thrown);
      if (freed === undefined) throw thrown;
      await freed;
      return receive();
    });
    this.#files.add(id, new LargeFile(part, exists));
    this.#ask(id, part.missing);
  }

  /** Never finished: a server goes on reading and filling its folders, and nobody here could open them again. */
  async #makeFolder(id: number, { path, mode }: PutFolder): Promise<void> {
    const { storage, paths } = this.#options;
    if (await storage.makeFolder(checkPath(path, paths), mode)) this.#madeFolders.add(path);
    this.#answer({ id, state: "done", path, outcome: "stored" });
  }

  async #seal(id: number, file: LargeFile): Promise<void> {
    const missing = await file.sealed();
    if (missing.length > 0) return this.#ask(id, missing);
    const { part, exists } = file;
    const commit = () => this.#commit(id, part.facts, () => part.commit());
    await this.#naming.give(part.path, exists, commit, (taken) => this.#fail(id, taken));
  }

  #sealSmall(id: number, file: Held): Promise<void> | undefined {
    const { path, facts, exists } = file;
    const bytes = file.sealed();
    if (bytes === undefined) {
      this.#ask(id, [[0, facts.size]]);
      return undefined;
    }
    const store = () => this.#options.storage.store(path, facts, exists, bytes);
    const commit = () => this.#commit(id, facts, store);
    return this.#naming.give(path, exists, commit, (taken) => this.#fail(id, taken));
  }

  #commit(id: number, facts: FileFacts, commit: () => string | Promise<string>): Promise<void> | undefined {
    this.#files.remove(id);
    let stored: string | Promise<string>;
    try {
      stored = commit();
    } catch (thrown) {
      const freed = this.#commits.freeing(thrown);
      return freed?.then(() => this.#commit(id, facts, commit)) ?? this.#fail(id, thrown);
    }
    if (typeof stored === "string") {
      this.#stored(id, stored, facts.size);
      return undefined;
    }
    return this.#commits.add(
      stored.then(
        (path) => this.#stored(id, path, facts.size),
        (thrown) => this.#fail(id, thrown),
      ),
    );
  }

  #stored(id: number, path: string, size: number): void {
    this.#options.onStored(path, size);
    this.#answer({ id, state: "done", path, outcome: "stored" });
  }

  /** The source has changed, or can't be read: what is here of it will not be needed. */
  async #forget(id: number, file: PutFileState): Promise<void> {
    this.#files.remove(id);
    await discard(file);
  }

  async #fail(id: number, thrown: unknown): Promise<void> {
    const file = this.#files.remove(id);
    // With every try it would be as far, and no further.
    const isHopeless = ["TOO_LARGE", "SAME_NAME"].includes(toCommError(thrown).code);
    if (file !== undefined) await (isHopeless ? discard(file) : keep(file));
    const { code, message } = this.#options.describe(thrown);
    this.#answer({ id, state: "failed", code: wireOfReason(code), message });
  }

  #ask(id: number, missing: readonly Range[]): void {
    const ranges = missing.slice(0, MAX_RANGES).map(([from, to]): [number, number] => [from, to]);
    // The rest in one: what is there of it comes once more, and is not looked at.
    const [last, rest] = [ranges.at(-1), missing.at(-1)];
    if (last !== undefined && rest !== undefined) last[1] = rest[1];
    this.#answer({ id, state: "ready", ranges });
  }

  #answer(answer: PutAnswer): void {
    this.#answers.add(answer);
  }
}
