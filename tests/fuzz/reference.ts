import { crc32 } from "node:zlib";
import { OPCODES, type OpcodeName } from "../support/frames.ts";
import { BLOCK, checkOf, HEADER_BYTES } from "../support/raw-chunks.ts";

/** What PROTOCOL.md says of frames and chunks, once more and naively: the oracle. It shares no code with lib/. */
export const SHAPES: Record<OpcodeName, { stream: boolean; end: boolean; bytes: readonly [number, number] }> = {
  HELLO: { stream: false, end: false, bytes: [2, 4_096] },
  WELCOME: { stream: false, end: false, bytes: [2, 4_096] },
  REFUSE: { stream: false, end: false, bytes: [2, 4_096] },
  QUEUED: { stream: false, end: false, bytes: [2, 4_096] },
  PING: { stream: false, end: false, bytes: [8, 8] },
  PONG: { stream: false, end: false, bytes: [8, 8] },
  GOAWAY: { stream: false, end: false, bytes: [2, 4_096] },
  AUTH: { stream: false, end: false, bytes: [2, 4_096] },
  OPEN: { stream: true, end: true, bytes: [2, 65_536] },
  ACCEPT: { stream: true, end: true, bytes: [2, 65_536] },
  DATA: { stream: true, end: false, bytes: [1, 1_048_576] },
  CREDIT: { stream: true, end: false, bytes: [4, 4] },
  END: { stream: true, end: false, bytes: [0, 65_536] },
  RESET: { stream: true, end: false, bytes: [2, 4_096] },
  WORKING: { stream: true, end: false, bytes: [0, 0] },
};

const NAMES = new Map<number, OpcodeName>((Object.keys(OPCODES) as OpcodeName[]).map((name) => [OPCODES[name], name]));

export const nameOf = (opcode: number): OpcodeName | undefined => NAMES.get(opcode);

/** The first of the checks of PROTOCOL.md, "Checks", that 16 bytes fail; undefined when they are a header. */
export function headerFault(header: Buffer, maxControl: number): string | undefined {
  if (header[0] !== 0xc5) return "BAD_MAGIC";
  const name = nameOf(header[1] as number);
  if (name === undefined) return "UNKNOWN_OPCODE";
  const { stream, end, bytes } = SHAPES[name];
  const flags = header.readUInt16BE(2);
  if (flags !== 0 && !(end && flags === 1)) return "BAD_HEADER";
  if (header.readUInt32BE(12) !== 0) return "BAD_HEADER";
  if ((header.readUInt32BE(4) !== 0) !== stream) return "BAD_HEADER";
  const length = header.readUInt32BE(8);
  if (length > bytes[1]) return "FRAME_TOO_LARGE";
  if (length < bytes[0]) return "BAD_HEADER";
  return name !== "DATA" && length > maxControl ? "FRAME_TOO_LARGE" : undefined;
}

/** What a decoder must make of `bytes`: its frames in words, what came of a last DATA frame included, then its error. */
export function readFrames(bytes: Buffer, maxControl: number): string[] {
  const seen: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== 0xc5) return [...seen, "BAD_MAGIC"];
    if (bytes.length - at < 16) return seen;
    const header = bytes.subarray(at, at + 16);
    const fault = headerFault(header, maxControl);
    if (fault !== undefined) return [...seen, fault];
    const length = header.readUInt32BE(8);
    const payload = bytes.subarray(at + 16, at + 16 + length);
    if (header[1] === OPCODES.DATA) noteData(seen, header.readUInt32BE(4), payload);
    else if (payload.length === length) {
      seen.push(`${header[1]} ${header.readUInt16BE(2)} ${header.readUInt32BE(4)} ${hashOf(payload)}`);
    }
    at += 16 + length;
  }
  return seen;
}

/** DATA of one stream in a row is one entry, however it was cut: its sum goes on over the pieces. */
export function noteData(seen: string[], stream: number, piece: Uint8Array): void {
  if (piece.length === 0) return;
  const before = /^DATA (\d+) (\d+) (\d+)$/.exec(seen.at(-1) ?? "");
  const goesOn = before !== null && Number(before[1]) === stream;
  const [bytes, hash] = goesOn ? [Number(before[2]), Number(before[3])] : [0, 0];
  if (goesOn) seen.pop();
  seen.push(`DATA ${stream} ${bytes + piece.length} ${crc32(piece, hash)}`);
}

export function hashOf(bytes: Uint8Array): string {
  return `${bytes.length}:${Bun.hash.xxHash32(bytes)}`;
}

/** What a chunk reader must make of `bytes`: its chunks in words, then its error. */
export function readChunks(bytes: Buffer): string[] {
  const seen: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = bytes.subarray(at, at + HEADER_BYTES);
    if (header.length < HEADER_BYTES) return [...seen, "BAD_PAYLOAD"];
    if (header.readUInt32BE(12) !== checkOf(header)) return [...seen, "DIGEST_MISMATCH"];
    const [kind, length, block] = [header[0] as number, header.readUIntBE(1, 3), header.readUInt32BE(8)];
    const isOfBlock = kind === 2 || kind === 6;
    const limits = [undefined, [2, 65_536], [1, BLOCK], [0, 0], [2, 65_536], [2, 65_536], [24, 1_032_216]][kind];
    if (limits === undefined || length < (limits[0] as number) || length > (limits[1] as number))
      return [...seen, "BAD_PAYLOAD"];
    if (!isOfBlock && block !== 0) return [...seen, "BAD_PAYLOAD"];
    const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (payload.length < length) return [...seen, "BAD_PAYLOAD"];
    const isIntact = Bun.hash.xxHash3(payload, BigInt(block)) === header.readBigUInt64BE(16);
    if (!isIntact && !isOfBlock) return [...seen, "DIGEST_MISMATCH"];
    seen.push(`${kind} ${header.readUInt32BE(4)} ${block} ${isIntact} ${hashOf(payload)}`);
    at += HEADER_BYTES + length;
  }
  return seen;
}
