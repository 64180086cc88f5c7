import type { Stream } from "../../lib/session/stream.ts";

/**
 * Chunks of a transfer, written from PROTOCOL.md: the oracle for lib/transfer, and the codec of raw peers. It shares no
 * code with lib/.
 */
export const KINDS = { FILE: 1, BLOCK: 2, SEAL: 3, FAIL: 4, FOLDER: 5, PATCH: 6 } as const;
export type KindName = keyof typeof KINDS;

export interface RawChunk {
  readonly kind: KindName | number;
  readonly id: number;
  readonly offset: number;
  readonly payload: Buffer;
  readonly intact: boolean;
  /** The payload as JSON, undefined when it is none. */
  readonly json: any;
}

export interface ChunkChanges {
  readonly offset?: number;
  readonly digest?: bigint;
  readonly length?: number;
}

const digestOf = (payload: Uint8Array, offset: number) =>
  Bun.hash.xxHash3(payload, BigInt(Math.floor(offset / 1_048_576) % 2 ** 32));

/** The low 32 bits of the digest of a header without its check. */
export const checkOf = (header: Buffer) =>
  Number(Bun.hash.xxHash3(Buffer.concat([header.subarray(0, 12), header.subarray(16, 24)])) & 0xffff_ffffn);

/** Encode a chunk; a payload that is no buffer is sent as JSON. */
export function chunk(
  kind: KindName | number,
  id: number,
  payload: unknown = Buffer.alloc(0),
  changes: ChunkChanges = {},
): Buffer {
  const bytes = payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
  const { offset = 0, digest = digestOf(bytes, offset), length = bytes.length } = changes;
  const header = Buffer.alloc(24);
  header.writeUInt8(typeof kind === "number" ? kind : KINDS[kind], 0);
  header.writeUIntBE(length, 1, 3);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(offset / 1_048_576, 8);
  header.writeBigUInt64BE(digest, 16);
  header.writeUInt32BE(checkOf(header), 12);
  return Buffer.concat([header, bytes]);
}

/** The chunks of a body. Throws when it ends within one. */
export function parseChunks(body: Uint8Array): RawChunk[] {
  const chunks: RawChunk[] = [];
  for (let rest = Buffer.from(body); rest.length > 0; ) {
    const length = rest.readUIntBE(1, 3);
    if (rest.length < 24 + length) throw new Error("The body ends within a chunk.");
    const code = rest.readUInt8(0);
    const kind = (Object.keys(KINDS) as KindName[]).find((name) => KINDS[name] === code) ?? code;
    if (rest.readUInt32BE(12) !== checkOf(rest)) throw new Error("A header is damaged.");
    const offset = rest.readUInt32BE(8) * 1_048_576;
    const payload = rest.subarray(24, 24 + length);
    const intact = digestOf(payload, offset) === rest.readBigUInt64BE(16);
    chunks.push({ kind, id: rest.readUInt32BE(4), offset, payload, intact, json: jsonOf(payload) });
    rest = rest.subarray(24 + length);
  }
  return chunks;
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}

/** A body to read, piece by piece. Each piece has its own buffer, as those of a stream have. */
export function bodyOf(pieces: Iterable<Uint8Array>): Pick<Stream, "read"> {
  const iterator = pieces[Symbol.iterator]();
  return {
    async read() {
      const step = iterator.next();
      return step.done ? undefined : new Uint8Array(step.value);
    },
  };
}

/** A body that was written. As on a slow link, written bytes leave later, and are read only then. */
export class WrittenBody implements Pick<Stream, "write" | "writeFile" | "canSendFiles" | "isClosed"> {
  readonly canSendFiles = false;
  isClosed = false;
  readonly #left: Buffer[] = [];
  readonly #waiting: { bytes: Uint8Array; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #failure: unknown;
  /** While false, everything is held back. */
  #isOpen: boolean;

  constructor({ isOpen = true } = {}) {
    this.#isOpen = isOpen;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#left);
  }

  /** Pieces that left, each a write(). */
  get writes(): number {
    return this.#left.length;
  }

  /** The memory of unsent bytes: their buffers, each counted once. */
  get memory(): number {
    const buffers = new Set(this.#waiting.map(({ bytes }) => bytes.buffer));
    return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  get chunks(): RawChunk[] {
    return parseChunks(this.bytes);
  }

  get kinds(): string {
    return this.chunks.map(({ kind }) => kind).join(" ");
  }

  writeFile(): Promise<void> {
    throw new Error("No file can be sent here.");
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      if (this.#isOpen) queueMicrotask(() => this.open());
    });
  }

  /** Let pass what was held back, and everything after it. */
  open(): void {
    this.#isOpen = true;
    for (const { bytes, resolve } of this.#waiting.splice(0)) {
      this.#left.push(Buffer.from(bytes));
      resolve();
    }
  }

  /** The stream is gone. */
  fail(error: unknown): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
