import { MAX_CONTROL_BYTES, MAX_DATA_BYTES, MAX_HELLO_BYTES, MAX_REASON_BYTES } from "./constants.ts";

/** The kinds of frames. Source: PROTOCOL.md, "Opcodes". */
export const Opcode = {
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

export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Flags of the header. */
export const Flag = {
  /** On OPEN and ACCEPT: no body follows in this direction. */
  END: 0x0001,
} as const;

export interface OpcodeRule {
  readonly name: keyof typeof Opcode;
  /** A session frame has the stream id 0, a stream frame any other id. */
  readonly scope: "session" | "stream";
  readonly minBytes: number;
  readonly maxBytes: number;
  /** Bits that may be set in the header's flags. */
  readonly flags: number;
}

const rule = (name: keyof typeof Opcode, minBytes: number, maxBytes: number, flags = 0): [number, OpcodeRule] => [
  Opcode[name],
  { name, scope: Opcode[name] < Opcode.OPEN ? "session" : "stream", minBytes, maxBytes, flags },
];

/** One row per opcode; the header codec checks every frame against it. */
export const OPCODE_RULES: ReadonlyMap<number, OpcodeRule> = new Map([
  rule("HELLO", 2, MAX_HELLO_BYTES),
  rule("WELCOME", 2, MAX_HELLO_BYTES),
  rule("REFUSE", 2, MAX_REASON_BYTES),
  rule("QUEUED", 2, MAX_REASON_BYTES),
  rule("PING", 8, 8),
  rule("PONG", 8, 8),
  rule("GOAWAY", 2, MAX_REASON_BYTES),
  rule("AUTH", 2, MAX_REASON_BYTES),
  rule("OPEN", 2, MAX_CONTROL_BYTES, Flag.END),
  rule("ACCEPT", 2, MAX_CONTROL_BYTES, Flag.END),
  rule("DATA", 1, MAX_DATA_BYTES),
  rule("CREDIT", 4, 4),
  rule("END", 0, MAX_CONTROL_BYTES),
  rule("RESET", 2, MAX_REASON_BYTES),
  rule("WORKING", 0, 0),
]);
