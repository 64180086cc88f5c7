import { describe, expect, test } from "bun:test";
import { FrameTap } from "../../../lib/trace/frame-tap.ts";
import { pattern, pieces } from "../../support/bytes.ts";
import { frame } from "../../support/frames.ts";

const OPEN = frame("OPEN", { method: "m", params: {} }, 1);
const DATA = frame("DATA", pattern(4_000), 1);
const conversation = Buffer.concat([frame("PING", pattern(8)), OPEN, DATA, frame("END", Buffer.alloc(0), 1), OPEN]);

interface Seen {
  readonly opcode: number;
  readonly stream: number;
  readonly length: number;
  readonly payload: string;
}

const EXPECTED: readonly Seen[] = [
  { opcode: 0x05, stream: 0, length: 8, payload: Buffer.from(pattern(8)).toString("hex") },
  { opcode: 0x10, stream: 1, length: OPEN.length - 16, payload: OPEN.subarray(16).toString("hex") },
  { opcode: 0x12, stream: 1, length: 4_000, payload: "" },
  { opcode: 0x14, stream: 1, length: 0, payload: "" },
  { opcode: 0x10, stream: 1, length: OPEN.length - 16, payload: OPEN.subarray(16).toString("hex") },
];

/** A tap, and all that it told. */
function open(): { tap: FrameTap; seen: Seen[]; faults: string[] } {
  const seen: Seen[] = [];
  const faults: string[] = [];
  const tap = new FrameTap({
    onFrame: ({ opcode, streamId, length }, payload) =>
      seen.push({ opcode, stream: streamId, length, payload: Buffer.from(payload).toString("hex") }),
    onFault: (message) => faults.push(message),
  });
  return { tap, seen, faults };
}

describe("FrameTap", () => {
  test.each([1, 5, 16, 17, 1_000, 10_000])("sees the same frames in pieces of %i bytes", (size) => {
    const { tap, seen, faults } = open();
    for (const piece of pieces(conversation, size)) tap.push(piece);
    expect([seen, faults]).toEqual([[...EXPECTED], []]);
  });

  test("counts bytes of a file that pass by unseen", () => {
    const { tap, seen } = open();
    tap.push(conversation.subarray(0, 24 + OPEN.length + 16 + 100));
    tap.skip(3_000);
    tap.push(DATA.subarray(-900));
    tap.push(conversation.subarray(24 + OPEN.length + DATA.length));
    expect(seen).toEqual([...EXPECTED]);
  });

  test("tells once of what is no frame, and looks no further", () => {
    const { tap, seen, faults } = open();
    tap.push(Buffer.concat([frame("PING", pattern(8)), Buffer.from("GET / HTTP/1.1\r\n\r\n"), OPEN]));
    tap.push(OPEN);
    expect(seen).toEqual(EXPECTED.slice(0, 1));
    expect(faults).toHaveLength(1);
  });
});
