import fc from "fast-check";
import { pattern, splitAt } from "./bytes.ts";
import { frame, OPCODES, type OpcodeName } from "./frames.ts";

/** The allowed fields of frames; written from PROTOCOL.md, like the naive codec. */
const SHAPES: Record<OpcodeName, { stream: boolean; end: boolean; bytes: [number, number] }> = {
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

export const OPCODE_NAMES = Object.keys(OPCODES) as OpcodeName[];

export const streamId = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 0xffff_ffff }));

/** The fields of a valid header. */
export const validHeader = fc.constantFrom(...OPCODE_NAMES).chain((name) => {
  const { stream, end, bytes } = SHAPES[name];
  const [min, max] = bytes;
  return fc.record({
    name: fc.constant(name),
    flags: end ? fc.constantFrom(0, 1) : fc.constant(0),
    stream: stream ? streamId : fc.constant(0),
    length: fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max })),
  });
});

export interface FrameSpec {
  readonly name: OpcodeName;
  readonly flags: number;
  readonly stream: number;
  /** The payload, or the length of a long one, so that counterexamples stay readable. */
  readonly payload: Uint8Array | number;
}

/** A valid frame with any bytes as its payload, mostly a short one. */
const validFrame: fc.Arbitrary<FrameSpec> = validHeader.chain(({ name, flags, stream }) => {
  const [min, max] = SHAPES[name].bytes;
  const short = fc.uint8Array({ minLength: min, maxLength: Math.min(max, 40) });
  const long = fc.integer({ min, max: Math.min(max, 70_000) });
  const payload = fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: long });
  return payload.map((bytes) => ({ name, flags, stream, payload: bytes }));
});

export const validFrames = fc.array(validFrame, { maxLength: 8 });

export function bytesOf(frames: readonly FrameSpec[]): Buffer {
  return Buffer.concat(
    frames.map(({ name, flags, stream, payload }) =>
      frame(name, typeof payload === "number" ? pattern(payload) : payload, stream, flags),
    ),
  );
}

const often = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: rare });

/** Sixteen bytes that begin like a frame, followed by anything; each check gets its share of faults. */
export const strangeHeader = fc
  .record({
    opcode: often(fc.constantFrom(...OPCODE_NAMES.map((name) => OPCODES[name] as number)), fc.nat(255)),
    flags: often(fc.constant(0), fc.oneof(fc.constant(1), fc.nat(0xffff))),
    stream: fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.nat(0xffff_ffff)),
    length: fc.oneof(fc.nat(100), fc.nat(0xffff_ffff), fc.constantFrom(4_096, 65_536, 65_537, 1_048_577)),
    reserved: often(fc.constant(0), fc.nat(0xffff_ffff)),
  })
  .map(({ opcode, flags, stream, length, reserved }) => {
    const bytes = Buffer.alloc(16);
    bytes.set([0xc5, opcode]);
    bytes.writeUInt16BE(flags, 2);
    bytes.writeUInt32BE(stream, 4);
    bytes.writeUInt32BE(length, 8);
    bytes.writeUInt32BE(reserved, 12);
    return bytes;
  });

/** A position in a run of bytes, from 0 to below 1. Not fc.double(), most of whose numbers are close to 0. */
const place = fc.nat(9_999).map((number) => number / 10_000);

/** One change to a run of bytes. */
export type Mutation = { at: number; length: number } & (
  | { kind: "flip"; mask: number }
  | { kind: "cut" | "double" }
  | { kind: "insert"; bytes: Uint8Array }
);

const span = { at: place, length: fc.integer({ min: 1, max: 40 }) };

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), ...span, mask: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constantFrom("cut" as const, "double" as const), ...span }),
    fc.record({ kind: fc.constant("insert" as const), ...span, bytes: fc.uint8Array({ maxLength: 20 }) }),
  ),
  { minLength: 1, maxLength: 4 },
);

export function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  let mutated = Buffer.from(bytes);
  for (const change of changes) {
    const at = Math.floor(change.at * mutated.length);
    const [head, tail] = [mutated.subarray(0, at), mutated.subarray(at)];
    switch (change.kind) {
      case "flip":
        if (at < mutated.length) mutated[at] = (mutated[at] as number) ^ change.mask;
        break;
      case "cut":
        mutated = Buffer.concat([head, tail.subarray(change.length)]);
        break;
      case "double":
        mutated = Buffer.concat([head, tail.subarray(0, change.length), tail]);
        break;
      case "insert":
        mutated = Buffer.concat([head, change.bytes, tail]);
        break;
    }
  }
  return mutated;
}

/** Positions at which to cut bytes; see cutAt(). */
export const cuts = fc.array(place, { maxLength: 20 });

export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  return splitAt(
    bytes,
    places.map((place) => Math.floor(place * bytes.length)),
  );
}

const text = fc.string({ unit: "binary" });

/** The values that a payload may hold: well-formed text, and numbers that are counts. */
const { value: payloadJson } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    text,
    fc.maxSafeNat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** Any JSON object that a payload may be. */
export const payloadObject = fc.dictionary(text, payloadJson, { maxKeys: 5, noNullPrototype: true });
