import { OPCODES } from "./frames.ts";
import type { Direction } from "./link-proxy.ts";
import { BLOCK, HEADER_BYTES, KINDS } from "./raw-chunks.ts";

/** Follows the bytes of one link, piece by piece, and knows after each what the transfer on it has moved. */
export class Conversation {
  /** Complete frames that have passed. */
  readonly frames = { up: 0, down: 0 };
  readonly bytes = { up: 0, down: 0 };
  /** Payload bytes of BLOCKs of files of one block or less that have passed, in whole and in part. */
  smallBytes = 0;
  /** The same for larger files; `wholeLargeBytes` counts only complete BLOCKs. */
  largeBytes = 0;
  wholeLargeBytes = 0;
  readonly #scanners: Record<Direction, FrameScanner>;
  readonly #chunks = { up: new Map<number, ChunkScanner>(), down: new Map<number, ChunkScanner>() };

  constructor() {
    this.#scanners = { up: this.#scanner("up"), down: this.#scanner("down") };
  }

  add(direction: Direction, bytes: Buffer): void {
    this.bytes[direction] += bytes.length;
    this.#scanners[direction].push(bytes);
  }

  /** Bytes from here to the end of the present frame, as far as `bytes`, which come next, show it. */
  toBoundary(direction: Direction, bytes: Buffer): number {
    return this.#scanners[direction].toBoundary(bytes);
  }

  #scanner(direction: Direction): FrameScanner {
    return new FrameScanner({
      onFrame: (opcode, stream, payload) => {
        this.frames[direction]++;
        if (direction === "up" && opcode === OPCODES.OPEN) {
          const { method } = JSON.parse(payload.toString());
          const chunks = method === "get" ? this.#chunks.down : method === "put" ? this.#chunks.up : undefined;
          chunks?.set(stream, new ChunkScanner(this));
        }
      },
      onData: (stream, bytes) => this.#chunks[direction].get(stream)?.push(bytes),
    });
  }
}

interface FrameEvents {
  onFrame(opcode: number, stream: number, payload: Buffer): void;
  onData(stream: number, bytes: Buffer): void;
}

/** Finds frames in pieces; DATA is passed on as it arrives, other payloads whole. */
class FrameScanner {
  readonly #events: FrameEvents;
  #header = Buffer.alloc(0);
  #payload = Buffer.alloc(0);
  #left = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  toBoundary(bytes: Buffer): number {
    if (this.#header.length === 16) return this.#left;
    const header = Buffer.concat([this.#header, bytes.subarray(0, 16 - this.#header.length)]);
    if (header.length < 16) return Number.POSITIVE_INFINITY;
    return 16 - this.#header.length + header.readUInt32BE(8);
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#header.length < 16) {
        const piece = rest.subarray(0, 16 - this.#header.length);
        this.#header = Buffer.concat([this.#header, piece]);
        rest = rest.subarray(piece.length);
        if (this.#header.length < 16) return;
        this.#left = this.#header.readUInt32BE(8);
      }
      const opcode = this.#header.readUInt8(1);
      const stream = this.#header.readUInt32BE(4);
      const piece = rest.subarray(0, this.#left);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      if (opcode !== OPCODES.DATA) this.#payload = Buffer.concat([this.#payload, piece]);
      else if (piece.length > 0) this.#events.onData(stream, piece);
      if (this.#left > 0) return;
      this.#events.onFrame(opcode, stream, this.#payload);
      this.#header = Buffer.alloc(0);
      this.#payload = Buffer.alloc(0);
    }
  }
}

/** Counts the payload bytes of BLOCKs in a body of chunks. */
class ChunkScanner {
  readonly #counts: Conversation;
  /** By the file's number. */
  readonly #sizes = new Map<number, number>();
  #header = Buffer.alloc(0);
  #facts = Buffer.alloc(0);
  #left = 0;

  constructor(counts: Conversation) {
    this.#counts = counts;
  }

  push(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#header.length < HEADER_BYTES) {
        const piece = rest.subarray(0, HEADER_BYTES - this.#header.length);
        this.#header = Buffer.concat([this.#header, piece]);
        rest = rest.subarray(piece.length);
        if (this.#header.length < HEADER_BYTES) return;
        this.#left = this.#header.readUIntBE(1, 3);
      }
      const piece = rest.subarray(0, this.#left);
      rest = rest.subarray(piece.length);
      this.#left -= piece.length;
      this.#count(piece);
      if (this.#left > 0) return;
      this.#header = Buffer.alloc(0);
    }
  }

  #count(piece: Buffer): void {
    const isWhole = this.#left === 0;
    const length = this.#header.readUIntBE(1, 3);
    const id = this.#header.readUInt32BE(4);
    if (this.#header[0] === KINDS.FILE) {
      this.#facts = Buffer.concat([this.#facts, piece]);
      if (!isWhole) return;
      this.#sizes.set(id, JSON.parse(this.#facts.toString()).size);
      this.#facts = Buffer.alloc(0);
    } else if (this.#header[0] === KINDS.BLOCK) {
      if ((this.#sizes.get(id) ?? 0) <= BLOCK) {
        this.#counts.smallBytes += piece.length;
      } else {
        this.#counts.largeBytes += piece.length;
        if (isWhole) this.#counts.wholeLargeBytes += length;
      }
    }
  }
}
