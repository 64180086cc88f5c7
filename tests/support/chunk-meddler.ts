import { frame, OPCODES, type OpcodeName, parseFrames, type RawFrame } from "./frames.ts";
import type { Direction, Tap } from "./link-proxy.ts";
import { parseChunks, type RawChunk } from "./raw-chunks.ts";

/** Returns the pieces that are sent in place of a chunk, at once. */
export type Meddle = (chunk: RawChunk) => Uint8Array[];

/**
 * Splits the bodies of every `get` and `put` on a link into chunks, and sends what `meddle` makes of each. It holds
 * back less than a chunk, so both sides need a window of more than that.
 */
export class Meddler implements Tap {
  readonly #meddle: Meddle;
  readonly #rest: Record<Direction, Buffer> = { up: Buffer.alloc(0), down: Buffer.alloc(0) };
  /** Streams with the bytes of an incomplete chunk, by the direction of their chunks. */
  readonly #bodies: Record<Direction, Map<number, Buffer>> = { up: new Map(), down: new Map() };
  /** Bytes that have passed. */
  bytes = 0;

  constructor(meddle: Meddle) {
    this.#meddle = meddle;
  }

  pass(direction: Direction, bytes: Buffer): Uint8Array {
    this.bytes += bytes.length;
    const { frames, rest } = parseFrames(Buffer.concat([this.#rest[direction], bytes]));
    this.#rest[direction] = rest;
    return Buffer.concat(frames.flatMap((received) => this.#frame(direction, received)));
  }

  #frame(direction: Direction, received: RawFrame): Uint8Array[] {
    const { name, stream, payload, json, flags } = received;
    if (name === "OPEN" && json.method === "get") this.#bodies.down.set(stream, Buffer.alloc(0));
    if (name === "OPEN" && json.method === "put") this.#bodies.up.set(stream, Buffer.alloc(0));
    const body = this.#bodies[direction].get(stream);
    if (body === undefined || name !== "DATA") {
      return [frame(OPCODES[name as OpcodeName] ?? 0, payload, stream, flags)];
    }
    const { chunks, rest } = parseChunks(Buffer.concat([body, payload]));
    this.#bodies[direction].set(stream, rest);
    return chunks.flatMap((chunk) => this.#meddle(chunk).flatMap((made) => dataOf(made, stream)));
  }
}

/** The bytes in frames of an allowed size. */
function dataOf(bytes: Uint8Array, stream: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) frames.push(frame("DATA", bytes.subarray(at, at + 65_536), stream));
  return frames;
}
