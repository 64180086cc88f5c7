import { BLOCK_BYTES, type Digest64 } from "../block.ts";
import { ProtocolError, StreamError } from "../errors.ts";
import { CHUNK_HEADER_BYTES, MAX_FACTS_BYTES } from "./constants.ts";
import { readUint32, writeUint32 } from "./header.ts";
import { MAX_PATCH_BYTES, PATCH_END_BYTES } from "./patch.ts";

/** The kinds of chunks in a transfer's body. Source: PROTOCOL.md, "Chunks". */
export const ChunkKind = {
  /** JSON: the facts of a file. Its blocks follow. */
  FILE: 1,
  /** Bytes of the file. */
  BLOCK: 2,
  /** All requested parts have been sent, and the source is still as FILE described it. */
  SEAL: 3,
  /** JSON: why nothing more of this file will come. */
  FAIL: 4,
  /** JSON: a folder to make. */
  FOLDER: 5,
  /** What a block has that the older state of it at the receiver has not. */
  PATCH: 6,
} as const;
export type ChunkKind = (typeof ChunkKind)[keyof typeof ChunkKind];

/** The smallest and largest payload. */
const LIMITS: ReadonlyMap<number, readonly [min: number, max: number]> = new Map([
  [ChunkKind.FILE, [2, MAX_FACTS_BYTES]],
  [ChunkKind.BLOCK, [1, BLOCK_BYTES]],
  [ChunkKind.SEAL, [0, 0]],
  [ChunkKind.FAIL, [2, MAX_FACTS_BYTES]],
  [ChunkKind.FOLDER, [2, MAX_FACTS_BYTES]],
  [ChunkKind.PATCH, [PATCH_END_BYTES, MAX_PATCH_BYTES]],
]);

export interface ChunkHeader {
  readonly kind: ChunkKind;
  /** Payload length in bytes. */
  readonly length: number;
  /** The number that the client gave to the file. */
  readonly id: number;
  /** For a BLOCK and a PATCH the position of its first byte in the file, a multiple of BLOCK_BYTES; otherwise 0. */
  readonly offset: number;
  /** XXH3-64 of the payload, with seedOf(). */
  readonly digest: bigint;
}

/** Whether a chunk has bytes of one block of the file. */
export function isOfBlock(kind: number): boolean {
  return kind === ChunkKind.BLOCK || kind === ChunkKind.PATCH;
}

/** Write a header into 24 bytes of `target` from `at` on. */
export function encodeChunkHeader(target: Uint8Array, at: number, header: ChunkHeader, digest64: Digest64): void {
  const { kind, length, id, offset, digest } = header;
  writeUint32(target, at, ((kind << 24) | length) >>> 0);
  writeUint32(target, at + 4, id);
  writeUint32(target, at + 8, offset / BLOCK_BYTES);
  writeUint32(target, at + 16, Number(digest >> 32n));
  writeUint32(target, at + 20, Number(digest & 0xffff_ffffn));
  writeUint32(target, at + CHECK_OFFSET, checkOf(target, at, digest64));
}

/**
 * Read and check the 24 bytes of `bytes` from `at` on, before waiting for any payload.
 *
 * @throws StreamError DIGEST_MISMATCH when the header was damaged on the way; ProtocolError BAD_PAYLOAD
 */
export function decodeChunkHeader(bytes: Uint8Array, at: number, digest64: Digest64): ChunkHeader {
  // "A receiver MUST verify the check before it waits for any payload." (PROTOCOL.md, "Chunks")
  if (readUint32(bytes, at + CHECK_OFFSET) !== checkOf(bytes, at, digest64)) {
    throw new StreamError("DIGEST_MISMATCH", "A part of the transfer was damaged on the way.");
  }
  const first = readUint32(bytes, at);
  const kind = first >>> 24;
  const length = first & 0xff_ffff;
  // "A receiver MUST answer a header that breaks these tables with RESET and BAD_PAYLOAD." (PROTOCOL.md, "Chunks")
  const limits = LIMITS.get(kind);
  if (limits === undefined) throw badChunk(`of kind ${kind}, which is unknown`);
  if (length < limits[0] || length > limits[1]) throw badChunk(`of ${length} bytes, not ${limits.join(" to ")}`);
  const offset = readUint32(bytes, at + 8) * BLOCK_BYTES;
  if (!isOfBlock(kind) && offset !== 0) throw badChunk("not a block, but has an offset");
  const digest = (BigInt(readUint32(bytes, at + 16)) << 32n) | BigInt(readUint32(bytes, at + 20));
  return { kind: kind as ChunkKind, length, id: readUint32(bytes, at + 4), offset, digest };
}

const CHECK_OFFSET = 12;
/** A header without its check. */
const checked = new Uint8Array(CHUNK_HEADER_BYTES - 4);

/** The low 32 bits of XXH3-64 of the other bytes of a header. */
function checkOf(bytes: Uint8Array, at: number, digest64: Digest64): number {
  // Byte by byte: for so few, a view of them would cost more.
  for (let i = 0; i < CHECK_OFFSET; i++) checked[i] = bytes[at + i] as number;
  for (let i = CHECK_OFFSET; i < checked.length; i++) checked[i] = bytes[at + i + 4] as number;
  return Number(digest64(checked, 0) & 0xffff_ffffn);
}

/** The largest chunk. */
export const CHUNK_BYTES = CHUNK_HEADER_BYTES + BLOCK_BYTES;

function badChunk(what: string): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", `A chunk is ${what}.`);
}
