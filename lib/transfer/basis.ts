import {
  BLOCK_BYTES,
  type BlockTag,
  type Digest64,
  PIECE_BYTES,
  PIECES_PER_BLOCK,
  seedOf,
  TAG_KEY_BYTES,
} from "../block.ts";
import { MAX_OFFERED_BLOCKS, type Patch, pieceBytes } from "../protocol/patch.ts";
import { isSmall, type OpenFile, type Storage } from "../storage/storage.ts";
import { digestsOf } from "./pieces.ts";
import { readFully } from "./read-fully.ts";

export interface BasisTerms {
  readonly digest64: Digest64;
  /** Absent: everything crosses. */
  readonly blockTag?: BlockTag | undefined;
}

/** The older state of a file at `path`; undefined when there is none, or it is too small to be of use. */
export async function openBasis(
  storage: Partial<Pick<Storage, "open">>,
  path: string,
  { digest64, blockTag }: BasisTerms,
): Promise<Basis | undefined> {
  if (blockTag === undefined) return undefined;
  const file = await storage.open?.(path).catch(() => undefined);
  if (file === undefined || !isSmall(file.entry)) return file && new Basis(file, { digest64, blockTag });
  await file.close();
  return undefined;
}

/**
 * An older state of a file, at its receiver: what has not changed since then is copied from it, and does not cross. The
 * older state may change at any time, since each block is verified after it was put together. Source: PROTOCOL.md,
 * "Patches".
 */
export class Basis {
  /** The key of the tags, which nobody could know when the file was made. */
  readonly key = crypto.getRandomValues(new Uint8Array(TAG_KEY_BYTES));
  readonly #file: OpenFile;
  readonly #terms: { readonly digest64: Digest64; readonly blockTag: BlockTag };
  /** Patches come in ascending order: those before are repetitions, and cost no work. */
  #next = 0;

  /** It owns `file`, and closes it. */
  constructor(file: OpenFile, terms: { digest64: Digest64; blockTag: BlockTag }) {
    this.#file = file;
    this.#terms = terms;
  }

  /** The end of the last block, of a file of `size` bytes, that it has something of. */
  endIn(size: number): number {
    return Math.min(size, Math.ceil(this.#file.entry.size / BLOCK_BYTES) * BLOCK_BYTES);
  }

  /**
   * The digests of the pieces from `from` on, up to the end of a block: of MAX_OFFERED_BLOCKS, or to `to`. `buffer` has
   * room for a block, and is the caller's.
   *
   * @throws StorageError when it can't be read, or has changed
   */
  async offer(from: number, to: number, buffer: Uint8Array): Promise<{ digests: Uint8Array; end: number }> {
    const end = Math.min(to, from + MAX_OFFERED_BLOCKS * BLOCK_BYTES);
    const parts: Uint8Array[] = [];
    for (let offset = from; offset < end; offset += BLOCK_BYTES) {
      const length = Math.min(BLOCK_BYTES, this.#file.entry.size - offset);
      const block = buffer.subarray(0, length);
      await readFully(this.#file, block, offset);
      const seed = seedOf(offset);
      parts.push(digestsOf(block, (piece) => this.#terms.digest64(piece, seed)));
    }
    return { digests: concat(parts), end };
  }

  /** Whether the patch at `offset` is expected: false for one that was taken before. Call once for each. */
  expects(offset: number): boolean {
    if (offset < this.#next) return false;
    this.#next = offset + BLOCK_BYTES;
    return true;
  }

  /**
   * Put a block together. Its pieces are at the start of `block`, and move to their places.
   *
   * @returns the digest of the block; undefined: it is not what was sent, because the older state differs from what was
   * offered
   */
  async complete(block: Uint8Array, offset: number, { pieces, tag }: Patch): Promise<bigint | undefined> {
    const expected = new Uint8Array(tag);
    spread(block, pieces);
    try {
      for (const [from, to] of gapsBetween(pieces, block.length)) {
        await readFully(this.#file, block.subarray(from, to), offset + from);
      }
    } catch {
      return undefined; // its state was replaced, or can't be read any more
    }
    const { digest64, blockTag } = this.#terms;
    const found = blockTag(block, this.key, offset);
    if (!found.every((byte, at) => byte === expected[at])) return undefined;
    return digest64(block, seedOf(offset));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Move the pieces at the start of a block to their places: the last one first, so that none overwrites another. */
function spread(block: Uint8Array, pieces: readonly number[]): void {
  for (const [at, piece] of [...pieces.entries()].reverse()) {
    const from = at * PIECE_BYTES;
    block.copyWithin(piece * PIECE_BYTES, from, from + pieceBytes(piece, block.length));
  }
}

/** The parts of a block of `length` bytes that are in none of these pieces. */
function* gapsBetween(pieces: readonly number[], length: number): Generator<readonly [from: number, to: number]> {
  let from = 0;
  for (const piece of [...pieces, PIECES_PER_BLOCK]) {
    const to = Math.min(length, piece * PIECE_BYTES);
    if (to > from) yield [from, to];
    from = (piece + 1) * PIECE_BYTES;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
