import { frame } from "./frames.ts";

/** The chunks of a transfer's body, naively, from PROTOCOL.md: for raw peers and for proxies that meddle. */
export const KINDS = { FILE: 1, BLOCK: 2, SEAL: 3, FAIL: 4, FOLDER: 5, PATCH: 6 } as const;

export type KindName = keyof typeof KINDS;

export const HEADER_BYTES = 24;
export const BLOCK = 1_048_576;

export interface RawChunk {
  readonly name: KindName | "?";
  readonly id: number;
  readonly offset: number;
  readonly payload: Buffer;
  /** The payload as JSON, undefined when it is none. */
  readonly json: any;
  /** Header and payload as they arrived. */
  readonly bytes: Buffer;
}

/** The low 32 bits of the digest of a header without its check. */
export function checkOf(header: Buffer): number {
  const others = Buffer.concat([header.subarray(0, 12), header.subarray(16, HEADER_BYTES)]);
  return Number(Bun.hash.xxHash3(others) & 0xffff_ffffn);
}

/** Encode a chunk; a payload that is no buffer is sent as JSON. */
export function chunk(name: KindName, id: number, payload: unknown = Buffer.alloc(0), offset = 0): Buffer {
  const bytes = payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(KINDS[name], 0);
  header.writeUIntBE(bytes.length, 1, 3);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(offset / BLOCK, 8);
  header.writeBigUInt64BE(Bun.hash.xxHash3(bytes, BigInt(Math.floor(offset / BLOCK))), 16);
  header.writeUInt32BE(checkOf(header), 12);
  return Buffer.concat([header, bytes]);
}

/** Cut complete chunks off the front; returns them and the rest. */
export function parseChunks(bytes: Buffer): { chunks: RawChunk[]; rest: Buffer } {
  const chunks: RawChunk[] = [];
  let rest = bytes;
  while (rest.length >= HEADER_BYTES) {
    const length = HEADER_BYTES + rest.readUIntBE(1, 3);
    if (rest.length < length) break;
    const payload = rest.subarray(HEADER_BYTES, length);
    const kind = rest[0];
    const name = (Object.keys(KINDS) as KindName[]).find((key) => KINDS[key] === kind) ?? "?";
    const offset = rest.readUInt32BE(8) * BLOCK;
    chunks.push({
      name,
      id: rest.readUInt32BE(4),
      offset,
      payload,
      json: name === "BLOCK" ? undefined : parse(payload),
      bytes: rest.subarray(0, length),
    });
    rest = rest.subarray(length);
  }
  return { chunks, rest };
}

/** A record, as it goes into a body of records. */
export function record(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** A `get` on that stream that asks for `path`, and may ask for more. */
export function getting(path: string, stream = 1): Buffer {
  return Buffer.concat([
    frame("OPEN", { method: "get", params: {} }, stream),
    frame("DATA", record({ id: 0, path }), stream),
  ]);
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
}
