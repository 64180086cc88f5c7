import { expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_CONTROL_BYTES } from "../../lib/protocol/constants.ts";
import { FrameDecoder } from "../../lib/protocol/frame-decoder.ts";
import { allocationsDuring } from "../support/allocations.ts";
import {
  bytesOf,
  cutAt,
  cuts,
  type FrameSpec,
  type Mutation,
  mutate,
  mutations,
  strangeHeader,
  streamId,
  validFrames,
} from "../support/arbitraries.ts";
import { pieces } from "../support/bytes.ts";
import { decodeAll, FrameLog, linesOf } from "../support/frame-log.ts";
import { parseFrames } from "../support/frames.ts";
import { protocolFault } from "../support/outcomes.ts";

/** What the decoder makes of the parts: what it hands on, and the fault that it stops with. */
function decode(parts: readonly Uint8Array[]) {
  const log = new FrameLog();
  const decoder = new FrameDecoder(log);
  decoder.maxControlBytes = MAX_CONTROL_BYTES;
  const fault = protocolFault(() => {
    for (const part of parts) decoder.push(part);
  });
  return { lines: log.lines, fault };
}

test("FrameDecoder decodes frames, split anywhere, as the naive codec decodes the whole", () => {
  fc.assert(
    fc.property(validFrames, cuts, (frames, places) => {
      const bytes = bytesOf(frames);
      const expected = linesOf(parseFrames(bytes).frames);
      expect(decodeAll([bytes]).lines).toEqual(expected);
      expect(decodeAll(cutAt(bytes, places)).lines).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("FrameDecoder decodes frames byte by byte as the naive codec decodes the whole", () => {
  fc.assert(
    fc.property(validFrames, (frames) => {
      const bytes = bytesOf(frames);
      expect(decodeAll(pieces(bytes, 1)).lines).toEqual(linesOf(parseFrames(bytes).frames));
    }),
    { numRuns: 60 },
  );
});

/** Bytes of a peer that means no good, or of one that is broken. */
const hostile = fc.oneof(
  { weight: 1, arbitrary: fc.record({ random: fc.uint8Array({ maxLength: 200 }) }) },
  { weight: 3, arbitrary: fc.record({ frames: validFrames, header: strangeHeader }) },
  { weight: 3, arbitrary: fc.record({ frames: validFrames, changes: mutations }) },
);

type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

function hostileBytes(from: Hostile): Buffer {
  if ("random" in from) return Buffer.from(from.random);
  if ("header" in from) return Buffer.concat([bytesOf(from.frames), from.header]);
  return mutate(bytesOf(from.frames), from.changes);
}

test("FrameDecoder gives the same frames and the same fault for hostile bytes, however they are split", () => {
  const faults = new Set<string | undefined>();
  fc.assert(
    fc.property(hostile, cuts, (from, places) => {
      const bytes = hostileBytes(from);
      const whole = decode([bytes]);
      expect(decode(cutAt(bytes, places))).toEqual(whole);
      faults.add(whole.fault);
    }),
    { numRuns: 800 },
  );
  // All codes of PROTOCOL.md, "Checks", were met, or the property would say little.
  for (const code of ["BAD_MAGIC", "UNKNOWN_OPCODE", "BAD_HEADER", "FRAME_TOO_LARGE"]) expect(faults).toContain(code);
});

/** Push a part; the lengths of the buffers that the decoder made for it, and the fault, if there was one. */
function pushCounting(decoder: FrameDecoder, part: Uint8Array) {
  let fault: string | undefined;
  const lengths = allocationsDuring(() => {
    fault = protocolFault(() => decoder.push(part));
  });
  return { lengths, fault };
}

test("FrameDecoder never makes a buffer above the control limit, nor above twice what has arrived", () => {
  const control: fc.Arbitrary<FrameSpec> = fc.record({
    name: fc.constantFrom("OPEN", "ACCEPT", "END"),
    flags: fc.constant(0),
    stream: streamId,
    payload: fc.oneof(fc.integer({ min: 2, max: 1_000 }), fc.integer({ min: 2, max: MAX_CONTROL_BYTES })),
  });
  const sound = fc.record({
    frames: fc.array(control, { minLength: 1, maxLength: 3 }),
    changes: fc.constant<Mutation[]>([]),
  });
  let made = 0;
  fc.assert(
    fc.property(fc.oneof(hostile, sound), cuts, (from, places) => {
      const decoder = new FrameDecoder({ onFrame() {}, onData() {} });
      decoder.maxControlBytes = MAX_CONTROL_BYTES;
      let arrived = 0;
      for (const part of cutAt(hostileBytes(from), places)) {
        arrived += part.length;
        const { lengths, fault } = pushCounting(decoder, part);
        for (const length of lengths) {
          expect(length).toBeLessThanOrEqual(Math.min(MAX_CONTROL_BYTES, Math.max(256, 2 * arrived)));
        }
        made += lengths.filter((length) => length > 16).length; // without those for headers
        if (fault !== undefined) break;
      }
    }),
    { numRuns: 500 },
  );
  expect(made).toBeGreaterThan(100); // else the property would say little
});
