import { BLOCK_BYTES, type Range } from "../block.ts";
import { sumOf, withoutHoles } from "../holes.ts";
import { CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { fileChanged, type OpenFile } from "../storage/storage.ts";
import type { ChunkWriter } from "./chunk-writer.ts";
import { GrowingFile } from "./growing-file.ts";
import { SpareBuffers } from "./spare-buffers.ts";

/** Blocks up to here are copied into a batch: cheaper than a frame of their own. */
export const SMALL_BYTES = 64 * 1024;

/** Digests of the blocks of one state of a file, by their offset. */
export interface BlockDigests {
  get(offset: number): bigint | undefined;
  set(offset: number, digest: bigint): void;
}

export interface SendTerms {
  /** Of this state of the file. */
  readonly digests?: BlockDigests | undefined;
  /** What FILE said to be holes: not sent. */
  readonly holes?: readonly Range[] | undefined;
}

export interface FileSenderOptions {
  /** Told the bytes of each block that has left. */
  onSent?(bytes: number): void;
  /** Blocks in memory: with 2, the default, the next is read while one is on its way. */
  readonly blocks?: 1 | 2;
  /** Where room for them comes from and goes at close(); absent: it is made. */
  readonly buffers?: SpareBuffers;
}

/** Sends blocks of files, one file after the other, reading ahead by one block. */
export class FileSender {
  readonly #writer: ChunkWriter;
  readonly #options: FileSenderOptions;
  readonly #blocks: number;
  readonly #buffers: SpareBuffers;
  /** Room for a chunk each; taken for the first file that needs it. */
  readonly #frames: Uint8Array[] = [];
  /** The same for chunks that are small. */
  readonly #smallFrames: Uint8Array[] = [];

  constructor(writer: ChunkWriter, options: FileSenderOptions = {}) {
    this.#writer = writer;
    this.#options = options;
    this.#blocks = options.blocks ?? 2;
    this.#buffers = options.buffers ?? new SpareBuffers(0);
  }

  /** Nothing more is sent. Not while send() runs. */
  close(): void {
    for (const frame of this.#frames.splice(0)) this.#buffers.give(frame);
  }

  /** Send the blocks of `ranges`, then SEAL. @throws as sendBlocks() */
  async send(id: number, file: OpenFile, ranges: readonly Range[], terms?: SendTerms): Promise<void> {
    await this.sendBlocks(id, file, ranges, terms);
    await this.seal(id);
  }

  /** All that is wanted of the file was sent, and it is still what it was. @throws as Stream.write() */
  async seal(id: number): Promise<void> {
    await this.#writer.seal(id);
  }

  /**
   * Send the blocks of `wanted` that are in no hole. The bytes are those of one state of the file, as OpenFile.read()
   * promises. A file that grows meanwhile is read once more at the end: what was sent of it must be there
   * still. FILE must have been sent, and the caller closes the file. With `digests` of this state of the file, blocks
   * whose digest is known are sent by the system itself where it can, and the others are noted.
   *
   * @throws StorageError CHANGED when the file is not what it was at its opening, and has not only grown: what was sent
   * must not be used
   * @throws StorageError when it can't be read; as Stream.write()
   */
  async sendBlocks(id: number, file: OpenFile, wanted: readonly Range[], terms: SendTerms = {}): Promise<void> {
    const { onSent } = this.#options;
    const { digests, holes = [] } = terms;
    const ranges = withoutHoles(wanted, holes);
    let before: Promise<void> = Promise.resolve();
    let reading: Promise<Uint8Array> | undefined;
    let turn = 0;
    // Of a part alone nobody knows what the rest was when the part was read.
    const watched = new GrowingFile(file, sumOf(ranges) + sumOf(holes) === file.entry.size);
    try {
      for (const [offset, length] of blocksOf(ranges)) {
        const known = length > SMALL_BYTES && this.#writer.canSendFiles ? digests?.get(offset) : undefined;
        const source = known === undefined ? undefined : file.source(offset, length);
        // The block before is on its way meanwhile.
        if (known !== undefined && source !== undefined) {
          await Promise.all([watched.check(), before]);
          watched.note(known);
          before = this.#writer.fileBlock(id, offset, source, known).then(() => onSent?.(length));
        } else {
          if (this.#blocks === 1) await before;
          reading = this.#read(watched, offset, this.#frame(turn, length));
          const [chunk] = await Promise.all([reading, before]);
          const digest = this.#writer.digest(chunk.subarray(CHUNK_HEADER_BYTES), offset);
          watched.note(digest);
          before = this.#write(id, offset, chunk, digest, digests);
        }
        before.catch(() => {}); // awaited in the next round
        turn++;
      }
      await before;
    } finally {
      // Their buffers are not free before: the next file would be written over them.
      await before.catch(() => {});
      await reading?.catch(() => {});
    }
    if (turn === 0) await watched.check();
    if (file.hasGrown) await this.#readAgain(watched, ranges, holes);
  }

  /** All has left, and the frames are free. @throws StorageError CHANGED when it is not what was sent any more */
  async #readAgain(watched: GrowingFile, ranges: readonly Range[], holes: readonly Range[]): Promise<void> {
    const { file } = watched;
    const again = new GrowingFile(file, true);
    for (const [offset, length] of blocksOf(ranges)) {
      again.note(await this.#digest(again, offset, length));
      if (this.#writer.isClosed) break;
    }
    if (!again.equals(watched)) throw fileChanged(file.entry.path);
    // Its end, say, is in a hole no more.
    const filled = holes.length > 0 ? withoutHoles(holes, file.holes()) : [];
    for (const [offset, length] of blocksOf(filled)) {
      const zeros = this.#writer.digest(new Uint8Array(length), offset);
      if ((await this.#digest(again, offset, length)) !== zeros) throw fileChanged(file.entry.path);
    }
  }

  async #digest(watched: GrowingFile, offset: number, length: number): Promise<bigint> {
    const frame = await this.#read(watched, offset, this.#frame(0, length));
    return this.#writer.digest(frame.subarray(CHUNK_HEADER_BYTES), offset);
  }

  /** Send a file that load() has read: FILE has been sent. @returns as ChunkWriter.json() */
  sendLoaded(id: number, bytes: Uint8Array): Promise<void> | undefined {
    const block = bytes.length === 0 ? undefined : this.#writer.smallBlock(id, 0, bytes);
    this.#options.onSent?.(bytes.length);
    const seal = this.#writer.seal(id);
    return block === undefined ? seal : Promise.all([block, seal]).then(() => {});
  }

  #frame(turn: number, length: number): Uint8Array {
    const bytes = CHUNK_HEADER_BYTES + length;
    const slot = turn % this.#blocks;
    const isSmall = length <= SMALL_BYTES;
    const frames = isSmall ? this.#smallFrames : this.#frames;
    frames[slot] ??= isSmall ? new Uint8Array(CHUNK_HEADER_BYTES + SMALL_BYTES) : this.#buffers.take();
    return frames[slot].subarray(0, bytes);
  }

  async #read(watched: GrowingFile, offset: number, frame: Uint8Array): Promise<Uint8Array> {
    const { file } = watched;
    const target = frame.subarray(CHUNK_HEADER_BYTES);
    for (let filled = 0; filled < target.length; ) {
      const bytes = await file.read(target.subarray(filled), offset + filled);
      if (bytes === 0) throw fileChanged(file.entry.path);
      filled += bytes;
    }
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
    const payload = frame.subarray(CHUNK_HEADER_BYTES);
    const { length } = payload;
    if (length <= SMALL_BYTES) await this.#writer.smallBlock(id, offset, payload);
    else {
      digests?.set(offset, digest);
      await this.#writer.block(id, offset, frame, digest);
    }
    this.#options.onSent?.(length);
  }
}

/** Offset and length of each block in these ranges. */
function* blocksOf(ranges: readonly Range[]): Generator<Range> {
  for (const [from, to] of ranges) {
    for (let offset = from; offset < to; offset += BLOCK_BYTES) yield [offset, Math.min(BLOCK_BYTES, to - offset)];
  }
}
