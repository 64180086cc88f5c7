import { BLOCK_BYTES } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { CHUNK_HEADER_BYTES, MAX_FACTS_BYTES } from "./constants.ts";
import { readUint32, writeUint32 } from "./header.ts";

/** What a chunk of a transfer's body is. Source: PROTOCOL.md, "Chunks". */
export const ChunkKind = {
  /** JSON: what the file is. Its blocks follow. */
  FILE: 1,
  /** Bytes of the file. */
  BLOCK: 2,
  /** All that was wanted has been sent, and the source is still what FILE said. */
  SEAL: 3,
  /** JSON: why there will be no more of this file. */
  FAIL: 4,
  /** JSON: a folder to make. */
  FOLDER: 5,
} as const;
export type ChunkKind = (typeof ChunkKind)[keyof typeof ChunkKind];

const MAX_BYTES: ReadonlyMap<number, number> = new Map([
  [ChunkKind.FILE, MAX_FACTS_BYTES],
  [ChunkKind.BLOCK, BLOCK_BYTES],
  [ChunkKind.SEAL, 0],
  [ChunkKind.FAIL, MAX_FACTS_BYTES],
  [ChunkKind.FOLDER, MAX_FACTS_BYTES],
]);

export interface ChunkHeader {
  readonly kind: ChunkKind;
  /** Payload length in bytes. */
  readonly length: number;
  /** The file it belongs to, as the client numbers them. */
  readonly id: number;
  /** Of a BLOCK: position of its first byte in the file, a multiple of BLOCK_BYTES; otherwise 0. */
  readonly offset: number;
  /** XXH3-64 of the payload, with seedOf(). */
  readonly digest: bigint;
}

/** Write a header into 24 bytes of `target` from `at` on. */
export function encodeChunkHeader(target: Uint8Array, at: number, header: ChunkHeader): void {
  const { kind, length, id, offset, digest } = header;
  writeUint32(target, at, ((kind << 24) | length) >>> 0);
  writeUint32(target, at + 4, id);
  writeUint32(target, at + 8, Math.floor(offset / 2 ** 32));
  writeUint32(target, at + 12, offset >>> 0);
  writeUint32(target, at + 16, Number(digest >> 32n));
  writeUint32(target, at + 20, Number(digest & 0xffff_ffffn));
}

/** @throws ProtocolError BAD_PAYLOAD */
export function decodeChunkHeader(bytes: Uint8Array, at: number): ChunkHeader {
  const first = readUint32(bytes, at);
  const kind = first >>> 24;
  const length = first & 0xff_ffff;
  const limit = MAX_BYTES.get(kind);
  if (limit === undefined) throw badChunk(`of kind ${kind}, which is unknown`);
  if (length > limit) throw badChunk(`of ${length} bytes, which is above ${limit}`);
  const offset = readUint32(bytes, at + 8) * 2 ** 32 + readUint32(bytes, at + 12);
  if (!Number.isSafeInteger(offset) || offset % BLOCK_BYTES !== 0) throw badChunk(`at offset ${offset}`);
  if (kind === ChunkKind.BLOCK ? length === 0 : offset !== 0)
    throw badChunk("with an offset, or a block without bytes");
  const digest = (BigInt(readUint32(bytes, at + 16)) << 32n) | BigInt(readUint32(bytes, at + 20));
  return { kind: kind as ChunkKind, length, id: readUint32(bytes, at + 4), offset, digest };
}

/** The largest chunk. */
export const CHUNK_BYTES = CHUNK_HEADER_BYTES + BLOCK_BYTES;

function badChunk(what: string): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", `A chunk is ${what}.`);
}
