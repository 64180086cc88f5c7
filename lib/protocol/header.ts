import { ProtocolError } from "../errors.ts";
import { HEADER_BYTES, MAGIC } from "./constants.ts";
import { OPCODE_RULES, type Opcode } from "./opcode.ts";

/** The 16 bytes before every payload. Source: PROTOCOL.md, "Frames". */
export interface Header {
  readonly opcode: Opcode;
  readonly flags: number;
  readonly streamId: number;
  /** Payload length in bytes. */
  readonly length: number;
}

/** Write `header` into 16 bytes of `target` from `offset` on, big-endian. The caller keeps the buffer. */
export function encodeHeader(target: Uint8Array, offset: number, header: Header): void {
  target[offset] = MAGIC;
  target[offset + 1] = header.opcode;
  target[offset + 2] = header.flags >>> 8;
  target[offset + 3] = header.flags;
  writeUint32(target, offset + 4, header.streamId);
  writeUint32(target, offset + 8, header.length);
  writeUint32(target, offset + 12, 0);
}

/**
 * Read and check the 16 bytes of `bytes` from `offset` on. The checks run in PROTOCOL.md's order,
 * so that all implementations answer the same fault with the same code.
 *
 * @throws ProtocolError BAD_MAGIC, UNKNOWN_OPCODE, BAD_HEADER, FRAME_TOO_LARGE
 */
export function decodeHeader(bytes: Uint8Array, offset = 0): Header {
  // "A receiver MUST check the header before it keeps any byte of the payload, in this order." (PROTOCOL.md,
  // "Checks")
  checkMagic(bytes[offset] as number);

  const opcode = bytes[offset + 1] as number;
  const rule = OPCODE_RULES.get(opcode);
  if (rule === undefined) throw new ProtocolError("UNKNOWN_OPCODE", `No frame has the opcode ${hex(opcode)}.`);

  const flags = ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number);
  if ((flags & ~rule.flags) !== 0) throw badHeader(rule.name, `has unknown flags ${hex(flags)}`);
  if (readUint32(bytes, offset + 12) !== 0) throw badHeader(rule.name, "has bytes set that are reserved");

  const streamId = readUint32(bytes, offset + 4);
  if (rule.scope === "session" && streamId !== 0)
    throw badHeader(rule.name, `belongs to no stream, not to ${streamId}`);
  if (rule.scope === "stream" && streamId === 0) throw badHeader(rule.name, "needs a stream id");

  const length = readUint32(bytes, offset + 8);
  if (length > rule.maxBytes) {
    throw new ProtocolError(
      "FRAME_TOO_LARGE",
      `A ${rule.name} frame of ${length} bytes is above the limit of ${rule.maxBytes}.`,
    );
  }
  if (length < rule.minBytes) throw badHeader(rule.name, `of ${length} bytes is too short`);
  return { opcode: opcode as Opcode, flags, streamId, length };
}

/**
 * Check the first byte of a frame.
 *
 * @throws ProtocolError BAD_MAGIC
 */
export function checkMagic(first: number): void {
  if (first === MAGIC) return;
  // A TLS alert or handshake (RFC 8446, section 5.1).
  const isTls = first === 0x15 || first === 0x16;
  const why = isTls ? "The other end speaks TLS, and this end does not" : `A frame does not start with ${hex(MAGIC)}`;
  throw new ProtocolError("BAD_MAGIC", `${why}: the first byte is ${hex(first)}.`);
}

/** A whole frame in one new buffer that belongs to the caller. */
export function encodeFrame(opcode: Opcode, streamId: number, payload: Uint8Array, flags = 0): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  encodeHeader(frame, 0, { opcode, flags, streamId, length: payload.length });
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

function badHeader(name: string, what: string): ProtocolError {
  return new ProtocolError("BAD_HEADER", `A ${name} frame ${what}.`);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
