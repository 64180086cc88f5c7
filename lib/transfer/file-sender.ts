import type { BlockTag, Range } from "../block.ts";
import { withoutHoles } from "../holes.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import { blocksOf } from "./blocks-of.ts";
import { type ChunkWriter, SMALL_BYTES } from "./chunk-writer.ts";
import { Frames } from "./frames.ts";
import { GrowingFile } from "./growing-file.ts";
import { type PieceOffer, sendPatches } from "./patch-sender.ts";
import { readFully } from "./read-fully.ts";
import { SpareBuffers } from "./spare-buffers.ts";

/** Digests of the blocks of one state of a file, by their offset. */
export interface BlockDigests {
  get(offset: number): bigint | undefined;
  set(offset: number, digest: bigint): void;
}

export interface SendTerms {
  /** Digests for this state of the file. */
  readonly digests?: BlockDigests | undefined;
  /** The holes that FILE announced, which are not sent. */
  readonly holes?: readonly Range[] | undefined;
  /** What patch() has read of the file before; absent: nothing. */
  readonly watched?: GrowingFile | undefined;
}

export interface FileSenderOptions {
  /** Called with the size of each block that was sent, in bytes, and how many of them the receiver has already. */
  onSent?(bytes: number, reused: number): void;
  /** Blocks in memory: with 2, the default, the next is read while one is on its way. */
  readonly blocks?: 1 | 2;
  /** The source of their buffers, which go back at close(); absent: they are allocated. */
  readonly buffers?: SpareBuffers;
}

export interface PatchTerms extends Pick<SendTerms, "holes"> {
  readonly blockTag: BlockTag;
}

/** Sends blocks of files, one file after the other, reading ahead by one block. */
export class FileSender {
  readonly #writer: ChunkWriter;
  readonly #options: FileSenderOptions;
  readonly #frames: Frames;

  constructor(writer: ChunkWriter, options: FileSenderOptions = {}) {
    this.#writer = writer;
    this.#options = options;
    this.#frames = new Frames(options.blocks ?? 2, options.buffers ?? new SpareBuffers(0));
  }

  /** Give the buffers back when nothing more is sent. Don't call it while send() runs. */
  close(): void {
    this.#frames.close();
  }

  /** Send the blocks of `ranges`, then SEAL. @throws as sendBlocks() */
  async send(id: number, file: OpenFile, ranges: readonly Range[], terms?: SendTerms): Promise<void> {
    await this.sendBlocks(id, file, ranges, terms);
    await this.seal(id);
  }

  /** Say that all requested parts were sent, and that the file has not changed. @throws as Stream.write() */
  async seal(id: number): Promise<void> {
    await this.#writer.seal(id);
  }

  /**
   * Send the blocks of `wanted` that are in no hole. The bytes are those of one state of the file, as OpenFile.read()
   * promises. A file that grows meanwhile is read once more at the end: the sent bytes must still be there. The caller
   * has sent FILE, and closes the file. With `digests` of this state of the file, the system itself sends blocks whose
   * digest is known, where it can; the digests of the others are noted.
   *
   * @throws StorageError CHANGED when the file has changed since it was opened, other than by growing: the sent bytes
   * must not be used
   * @throws StorageError when it can't be read; as Stream.write()
   */
  async sendBlocks(id: number, file: OpenFile, wanted: readonly Range[], terms: SendTerms = {}): Promise<void> {
    const { onSent } = this.#options;
    const { digests, holes = [], watched = new GrowingFile(file) } = terms;
    const ranges = withoutHoles(wanted, holes);
    let before: Promise<void> = Promise.resolve();
    let reading: Promise<Uint8Array> | undefined;
    let turn = 0;
    watched.finishWith(ranges, holes);
    try {
      for (const [offset, length] of blocksOf(ranges)) {
        const known = length > SMALL_BYTES && this.#writer.canSendFiles ? digests?.get(offset) : undefined;
        const source = known === undefined ? undefined : file.source(offset, length);
        // Meanwhile the block before is on its way.
        if (known !== undefined && source !== undefined) {
          await Promise.all([watched.check(), before]);
          watched.note(offset, length, known);
          before = this.#writer.fileBlock(id, offset, source, known).then(() => onSent?.(length, 0));
        } else {
          if (this.#frames.count === 1) await before;
          reading = this.#read(watched, offset, this.#frames.at(turn, length));
          const [chunk] = await Promise.all([reading, before]);
          const digest = this.#writer.digest(chunk.subarray(CHUNK_HEADER_BYTES), offset);
          watched.note(offset, length, digest);
          before = this.#write(id, offset, chunk, digest, digests);
        }
        before.catch(() => {}); // awaited in the next round
        turn++;
      }
      await before;
    } finally {
      // Their buffers are in use until then: the next file would overwrite them.
      await before.catch(() => {});
      await reading?.catch(() => {});
    }
    if (turn === 0) await watched.check();
    if (file.hasGrown) await this.#readAgain(watched, holes);
  }

  /**
   * Send the blocks from `offer.from` to `offer.to` without the pieces that the receiver has: see sendPatches().
   * sendBlocks() follows with the rest of the file, and `watched`.
   */
  async patch(id: number, watched: GrowingFile, offer: PieceOffer, terms: PatchTerms): Promise<void> {
    const onSent = (bytes: number, reused: number) => this.#options.onSent?.(bytes, reused);
    await sendPatches(id, watched, offer, { ...terms, writer: this.#writer, frames: this.#frames, onSent });
  }

  /**
   * Call when all blocks were sent and the frames are free.
   *
   * @throws StorageError CHANGED when the file differs from what was sent
   */
  async #readAgain(watched: GrowingFile, holes: readonly Range[]): Promise<void> {
    const { file } = watched;
    const again = new GrowingFile(file);
    for (const [offset, length] of blocksOf(watched.read)) {
      again.note(offset, length, await this.#digest(again, offset, length));
      if (this.#writer.isClosed) break;
    }
    if (!again.equals(watched)) throw storageFault.changed(file.entry.path);
    // A hole may have been filled, such as one at the end.
    const filled = holes.length > 0 ? withoutHoles(holes, file.holes()) : [];
    for (const [offset, length] of blocksOf(filled)) {
      const zeros = this.#writer.digest(new Uint8Array(length), offset);
      if ((await this.#digest(again, offset, length)) !== zeros) throw storageFault.changed(file.entry.path);
    }
  }

  async #digest(watched: GrowingFile, offset: number, length: number): Promise<bigint> {
    const frame = await this.#read(watched, offset, this.#frames.at(0, length));
    return this.#writer.digest(frame.subarray(CHUNK_HEADER_BYTES), offset);
  }

  /** Send a file that load() has read; FILE must have been sent. @returns as ChunkWriter.json() */
  sendLoaded(id: number, bytes: Uint8Array): Promise<void> | undefined {
    const block = bytes.length === 0 ? undefined : this.#writer.smallBlock(id, 0, bytes);
    this.#options.onSent?.(bytes.length, 0);
    const seal = this.#writer.seal(id);
    return block === undefined ? seal : Promise.all([block, seal]).then(() => {});
  }

  async #read(watched: GrowingFile, offset: number, frame: Uint8Array): Promise<Uint8Array> {
    await readFully(watched.file, frame.subarray(CHUNK_HEADER_BYTES), offset);
    watched.requireLength();
    return frame;
  }

  async #write(
    id: number,
    offset: number,
    frame: Uint8Array,
    digest: bigint,
    digests: BlockDigests | undefined,
  ): Promise<void> {
    const length = frame.length - CHUNK_HEADER_BYTES;
    if (length > SMALL_BYTES) digests?.set(offset, digest);
    await this.#writer.block(id, offset, frame, digest);
    this.#options.onSent?.(length, 0);
  }
}
