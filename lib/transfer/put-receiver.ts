import { ProtocolError, toCommError } from "../errors.ts";
import { checkHoles } from "../holes.ts";
import { checkPath, parentOf } from "../path.ts";
import { ChunkKind, isOfBlock } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason } from "../protocol/messages.ts";
import { PutFile, PutFolder } from "../protocol/methods.ts";
import { type ExistsPolicy, type FileFacts, isSmall } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import { openBasis } from "./basis.ts";
import { BlockPool } from "./block-pool.ts";
import { type Chunk, ChunkReader } from "./chunk-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import { MadeFolders } from "./made-folders.ts";
import { Naming } from "./naming.ts";
import { PutAnswers } from "./put-answers.ts";
import { discard, Held, keep, LargeFile, type PutFileState, PutFiles } from "./put-files.ts";
import type { PutReceiverOptions } from "./put-receiver-options.ts";
import { PutStores } from "./put-stores.ts";

/** The owner's read permission among the nine bits of a mode. */
const OWNER_READS = 0o400;

/**
 * The receiving side of `put`. Source: PROTOCOL.md, "put".
 *
 * Steps of each file: FILE → placed (#begin()) → its blocks, held or written (#files) → SEAL → named and
 * synced (#commits), in parallel with the transfer → answered. Every id that was used gets exactly one "done" or
 * "failed", unless the sender withdraws it with FAIL or the stream ends. A file leaves #files before its commit begins,
 * which then owns its memory.
 */
export class PutReceiver {
  readonly #options: PutReceiverOptions;
  readonly #answers: PutAnswers;
  /** Files under way, by the sender's number. Chunks for other used numbers are late, and ignored. */
  readonly #files: PutFiles;
  /** The highest number so far: numbers only rise, so this shows which were used without a list of them. */
  #lastId = -1;
  readonly #madeFolders = new MadeFolders();
  readonly #commits = new CommitQueue();
  readonly #naming: Naming;
  readonly #stores: PutStores;
  readonly #pool: BlockPool;
  /** An older state is being read. */
  #isOffering = false;

  constructor(options: PutReceiverOptions) {
    this.#options = options;
    this.#naming = new Naming(options.names, options.storage, () => this.#commits.settled());
    this.#files = new PutFiles(options.heldBytes);
    this.#answers = new PutAnswers(options.stream, options.clock);
    this.#stores = new PutStores(this.#commits, this.#naming, {
      onBegin: (id) => this.#files.remove(id),
      onStored: (id, path, size) => {
        options.onStored(path, size);
        this.#answers.done(id, path, "stored");
      },
      onFailed: (id, thrown) => this.#fail(id, thrown),
    });
    this.#pool = new BlockPool(options.blocks, options.buffers);
  }

  /** True while the disk is at work, whatever the sender does. */
  get isAtWork(): boolean {
    return this.#commits.size > 0 || this.#isOffering;
  }

  /** Receive everything until the sender ends its body. @throws as ChunkReader.next(); as Stream.write() */
  async run(): Promise<void> {
    const { stream, digest64, clock } = this.#options;
    const reader = new ChunkReader(stream, this.#pool, digest64);
    const yielder = new Yielder(clock);
    try {
      for (;;) {
        const chunk = reader.take() ?? (await this.#next(reader));
        if (chunk === undefined) break;
        const work = this.#take(chunk);
        if (work !== undefined) await work;
        // While a sender does not read its answers, don't read from it.
        if (this.#answers.isFull) await this.#answers.flush();
        if (yielder.isDue) await yielder.pause();
      }
      await this.#commits.settled();
      await this.#answers.flush();
    } finally {
      await this.#commits.settled();
      await this.#files.keep();
      this.#pool.close();
    }
  }

  #next(reader: ChunkReader): Promise<Chunk | undefined> {
    this.#files.detach();
    return reader.next();
  }

  /** @returns a promise that settles when the next chunk may come; undefined: at once */
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
    if (isOfBlock(kind) && file !== undefined) return this.#takeBlock(file, chunk);
    try {
      return this.#handleOther(id, kind, payload, file);
    } finally {
      // Its payload was read at once, and is no longer needed.
      chunk.release();
    }
  }

  #takeBlock(file: PutFileState, chunk: Chunk): Promise<void> | undefined {
    const taken = this.#files.take(file, chunk);
    if (file instanceof Held || file.offers === undefined) return taken;
    file.offers.note();
    return Promise.resolve(taken).then(() => this.#offer(chunk.id, file));
  }

  async #offer(id: number, file: LargeFile): Promise<void> {
    this.#isOffering = true;
    await file.offer(id, this.#pool, this.#answers).finally(() => {
      this.#isOffering = false;
    });
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
    // "The server MUST answer a BLOCK, SEAL or FAIL with a number above all that were begun with RESET and
    // BAD_PAYLOAD." (PROTOCOL.md, "put")
    if (id > this.#lastId) throw new ProtocolError("BAD_PAYLOAD", `No file was begun under the number ${id}.`);
    // "The server MUST ignore a BLOCK, SEAL or FAIL of a file that is over: it may have crossed with the answer."
    // (PROTOCOL.md, "put")
    if (file === undefined) return undefined;
    if (kind === ChunkKind.FAIL) return this.#forget(id, file);
    return file instanceof Held ? this.#sealSmall(id, file) : this.#seal(id, file);
  }

  /** @throws ProtocolError BAD_PAYLOAD when the number is not above all earlier ones */
  #use(id: number): void {
    // "A server MUST answer a number that does not rise with RESET and BAD_PAYLOAD." (PROTOCOL.md, "Transfers")
    if (id <= this.#lastId) {
      throw new ProtocolError("BAD_PAYLOAD", `The number ${id} of a file comes after ${this.#lastId}.`);
    }
    this.#lastId = id;
  }

  async #refuse(id: number, thrown: unknown): Promise<void> {
    // A sender that breaks the protocol can't be trusted with the next file.
    if (this.#options.stream.isClosed || thrown instanceof ProtocolError) throw thrown;
    await this.#fail(id, thrown);
  }

  #begin(id: number, { path, exists, older, ...facts }: PutFile): Promise<void> | undefined {
    checkPath(path, this.#options.paths);
    if (older !== undefined) checkPath(older, this.#options.paths);
    if (this.#options.knowsHoles) checkHoles(path, facts.size, facts.holes);
    else delete facts.holes;
    // A file that its owner here could not read would be useless.
    if (facts.mode !== undefined) facts.mode |= OWNER_READS;
    this.#files.requireRoom(facts);
    const canMeet = !this.#madeFolders.has(parentOf(path)) || this.#naming.isInQuestion(path);
    if (!isSmall(facts) || canMeet) return this.#beginAt(id, path, exists, facts, older);
    this.#files.add(id, new Held(path, facts, exists));
    return undefined;
  }

  async #beginAt(id: number, path: string, exists: ExistsPolicy, facts: FileFacts, older?: string): Promise<void> {
    const { storage } = this.#options;
    const placement = await storage.place(path, facts, exists, await this.#naming.isAnothers(path));
    if (placement.outcome !== "vacant") {
      if (placement.outcome === "unchanged") this.#naming.note(placement.path);
      return this.#answers.done(id, placement.path, placement.outcome);
    }
    if (isSmall(facts)) {
      // Not the path that is free just now: with "rename" another file may have taken it when this one is complete.
      this.#files.add(id, new Held(path, facts, exists));
      return;
    }
    const part = await this.#commits.tryTwice(() => storage.receive(placement.path, facts, exists));
    const file = new LargeFile(part, exists);
    this.#files.add(id, file);
    if (older !== undefined) file.offerFrom(await openBasis(storage, older, this.#options));
    await this.#offer(id, file);
  }

  /** The folder keeps its owner's permissions: the server could not fill it, or open it again. */
  async #makeFolder(id: number, { path, mode }: PutFolder): Promise<void> {
    const { storage, paths } = this.#options;
    if (await storage.makeFolder(checkPath(path, paths), mode)) this.#madeFolders.add(path);
    this.#answers.done(id, path, "stored");
  }

  async #seal(id: number, file: LargeFile): Promise<void> {
    // "The client MUST NOT send SEAL before the server is \"ready\"." (PROTOCOL.md, "Patches")
    if (file.offers !== undefined) throw new ProtocolError("BAD_PAYLOAD", "A file ends before it was requested.");
    const missing = await file.sealed();
    if (missing.length > 0) return this.#answers.ready(id, missing);
    const { part, exists } = file;
    await this.#stores.give({ id, path: part.path, exists, facts: part.facts }, () => part.commit());
  }

  #sealSmall(id: number, file: Held): Promise<void> | undefined {
    const { path, facts, exists } = file;
    const bytes = file.sealed();
    if (bytes === undefined) {
      this.#answers.ready(id, [[0, facts.size]]);
      return undefined;
    }
    const { storage } = this.#options;
    return this.#stores.give({ id, path, exists, facts }, () => storage.store(path, facts, exists, bytes));
  }

  /** The source has changed, or can't be read: its part is no longer needed. */
  async #forget(id: number, file: PutFileState): Promise<void> {
    this.#files.remove(id);
    await discard(file);
  }

  async #fail(id: number, thrown: unknown): Promise<void> {
    const file = this.#files.remove(id);
    // Every new try would fail at the same point.
    const isHopeless = ["TOO_LARGE", "SAME_NAME"].includes(toCommError(thrown).code);
    if (file !== undefined) await (isHopeless ? discard(file) : keep(file));
    this.#answers.failed(id, this.#options.describe(thrown));
  }
}
