/**
 * A second, naive codec, written from PROTOCOL.md: the oracle for the real one, and the codec of raw peers. It shares
 * no code with lib/.
 */
export const OPCODES = {
  HELLO: 0x01,
  WELCOME: 0x02,
  REFUSE: 0x03,
  QUEUED: 0x04,
  PING: 0x05,
  PONG: 0x06,
  GOAWAY: 0x07,
  AUTH: 0x08,
  OPEN: 0x10,
  ACCEPT: 0x11,
  DATA: 0x12,
  CREDIT: 0x13,
  END: 0x14,
  RESET: 0x15,
  WORKING: 0x16,
} as const;

export type OpcodeName = keyof typeof OPCODES;

export interface RawFrame {
  readonly name: OpcodeName | `0x${string}`;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  /** The payload as JSON, undefined when it is none. */
  readonly json: any;
}

/** Encode a frame; a payload that is no buffer is sent as JSON. */
export function frame(name: OpcodeName | number, payload: unknown = Buffer.alloc(0), stream = 0, flags = 0): Buffer {
  const bytes = payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.from(JSON.stringify(payload));
  const header = Buffer.alloc(16);
  header.writeUInt8(0xc5, 0);
  header.writeUInt8(typeof name === "number" ? name : OPCODES[name], 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(stream, 4);
  header.writeUInt32BE(bytes.length, 8);
  return Buffer.concat([header, bytes]);
}

/** Cut complete frames off the front; returns them and the rest. */
export function parseFrames(bytes: Buffer): { frames: RawFrame[]; rest: Buffer } {
  const frames: RawFrame[] = [];
  let rest = bytes;
  while (rest.length >= 16) {
    if (rest[0] !== 0xc5) throw new Error(`bad magic ${rest[0]}`);
    const length = rest.readUInt32BE(8);
    if (rest.length < 16 + length) break;
    const payload = rest.subarray(16, 16 + length);
    const code = rest[1] as number;
    const name =
      (Object.keys(OPCODES) as OpcodeName[]).find((key) => OPCODES[key] === code) ??
      (`0x${code.toString(16)}` as const);
    let json: unknown;
    try {
      json = JSON.parse(payload.toString());
    } catch {
      json = undefined;
    }
    frames.push({ name, flags: rest.readUInt16BE(2), stream: rest.readUInt32BE(4), payload, json });
    rest = rest.subarray(16 + length);
  }
  return { frames, rest };
}

export const HELLO = {
  versions: { min: 1, max: 1 },
  agent: "raw-peer",
  capabilities: [],
  wait: false,
  credit: 1_048_576,
  maxStreams: 16,
};
