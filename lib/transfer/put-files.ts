import { StreamError } from "../errors.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type PartFile } from "../storage/storage.ts";
import type { Basis } from "./basis.ts";
import type { BlockPool } from "./block-pool.ts";
import type { Chunk } from "./chunk-reader.ts";
import { FileReceiver } from "./file-receiver.ts";
import { PieceOffers } from "./piece-offers.ts";
import type { PutAnswers } from "./put-answers.ts";
import { SmallFile } from "./small-file.ts";

/** The most files of several blocks that may be open at once. */
export const MAX_LARGE_FILES = 8;
/** The most files of one block that may be under way at once. */
export const MAX_SMALL_FILES = 16;

/** A small file under way. */
export class Held extends SmallFile {
  readonly exists: ExistsPolicy;

  constructor(path: string, facts: FileFacts, exists: ExistsPolicy) {
    super(path, facts);
    this.exists = exists;
  }
}

/** A file of several blocks under way. */
export class LargeFile extends FileReceiver {
  readonly exists: ExistsPolicy;
  /** Until everything that is offered of an older state has come. */
  offers: PieceOffers | undefined;

  constructor(part: PartFile, exists: ExistsPolicy) {
    super(part);
    this.exists = exists;
  }

  /** There is an older state, which it closes in the end. */
  offerFrom(basis: Basis | undefined): void {
    this.basis = basis;
    this.offers = basis && new PieceOffers(basis, this.part.missing, this.part.facts.size);
  }

  /** Offer what is due of the older state; when all of it has come, or there is none, request the rest. */
  async offer(id: number, pool: BlockPool, answers: PutAnswers): Promise<void> {
    await this.offers?.send(id, pool, answers);
    if (this.offers?.isOver === false) return;
    await this.endOffers();
    answers.ready(id, this.part.missing);
  }

  /** Nothing is being written any more, and nothing is offered. */
  async endOffers(): Promise<void> {
    await this.settle();
    await this.basis?.close();
    this.basis = undefined;
    this.offers = undefined;
  }
}

export type PutFileState = LargeFile | Held;

/** The files of one `put` that are under way, by the sender's number, within bounds. */
export class PutFiles {
  readonly #files = new Map<number, PutFileState>();
  readonly #maxHeld: number;
  /** Bytes of small files that are held. */
  #held = 0;

  /** `maxHeld`: the most bytes of small files that are held at once; one file is always allowed. */
  constructor(maxHeld: number) {
    this.#maxHeld = maxHeld;
  }

  get(id: number): PutFileState | undefined {
    return this.#files.get(id);
  }

  /** Bounds the files that a sender may leave unfinished. @throws StreamError TOO_MANY_STREAMS */
  requireRoom(facts: FileFacts): void {
    const limit = isSmall(facts) ? MAX_SMALL_FILES : MAX_LARGE_FILES;
    if (this.#files.size < limit) return;
    let count = 0;
    for (const file of this.#files.values()) if (file instanceof Held === isSmall(facts)) count++;
    if (count >= limit) throw new StreamError("TOO_MANY_STREAMS", `${limit} such files are under way.`);
  }

  add(id: number, file: PutFileState): void {
    this.#files.set(id, file);
  }

  /**
   * A block of the file has arrived.
   *
   * @returns as FileReceiver.take()
   * @throws StreamError TOO_MANY_STREAMS when other small files take all the room; as
   * FileReceiver.take()
   */
  take(file: PutFileState, chunk: Chunk): Promise<void> | undefined {
    if (file instanceof LargeFile) return file.take(chunk);
    const { size } = file.facts;
    const isNew = file.bytes === undefined;
    if (isNew && this.#held > 0 && this.#held + size > this.#maxHeld) {
      chunk.release();
      throw new StreamError("TOO_MANY_STREAMS", `Small files of ${this.#held} bytes are under way.`);
    }
    void file.take(chunk);
    if (isNew && file.bytes !== undefined) this.#held += size;
    return undefined;
  }

  /** No more bytes are ready: copy the held files' bytes out of the shared pieces. */
  detach(): void {
    for (const file of this.#files.values()) if (file instanceof Held) file.detach();
  }

  /** Remove a file that is no longer under way. */
  remove(id: number): PutFileState | undefined {
    const file = this.#files.get(id);
    this.#files.delete(id);
    if (file instanceof Held && file.bytes !== undefined) this.#held -= file.facts.size;
    return file;
  }

  /** Keep the parts of all files for another time. Nothing may be written to the disk during the call or after it. */
  async keep(): Promise<void> {
    for (const file of this.#files.values()) if (file instanceof Held) file.drop();
    await Promise.all([...this.#files.values()].map((file) => keep(file)));
  }
}

/** Keep the file's part for another time. */
export async function keep(file: PutFileState): Promise<void> {
  if (file instanceof Held) return;
  await file.endOffers();
  await file.part.keep();
}

/** Remove all that has arrived of the file. */
export async function discard(file: PutFileState): Promise<void> {
  if (file instanceof Held) return;
  await file.endOffers();
  await file.part.discard();
}
