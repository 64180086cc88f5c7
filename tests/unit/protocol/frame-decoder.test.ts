import { describe, expect, test } from "bun:test";
import { FrameDecoder } from "../../../lib/protocol/frame-decoder.ts";
import { pattern, pieces } from "../../support/bytes.ts";
import { decodeAll, FrameLog, linesOf } from "../../support/frame-log.ts";
import { frame, parseFrames } from "../../support/frames.ts";
import { protocolFault } from "../../support/outcomes.ts";

const PING = frame("PING", pattern(8));
const OPEN = frame("OPEN", { method: "m", params: {} }, 1);
const conversation = Buffer.concat([
  PING,
  OPEN,
  frame("DATA", pattern(40), 1),
  frame("END", Buffer.alloc(0), 1),
  frame("DATA", pattern(1), 3),
  frame("RESET", { code: 1, message: "x" }, 3),
]);

describe("FrameDecoder.push()", () => {
  test.each([1, 2, 3, 7, 15, 16, 17, 31, 1_000])("decodes the same in pieces of %i bytes", (size) => {
    const expected = linesOf(parseFrames(conversation).frames);
    expect(expected).toHaveLength(6);
    expect([...decodeAll(pieces(conversation, size)).lines]).toEqual(expected);
  });

  test("delivers a frame without payload at the last byte of its header", () => {
    const end = frame("END", Buffer.alloc(0), 1);
    const log = new FrameLog();
    const decoder = new FrameDecoder(log);
    decoder.push(end.subarray(0, 15));
    expect(log.frames).toHaveLength(0);
    decoder.push(end.subarray(15));
    expect(log.frames).toMatchObject([{ header: { streamId: 1, length: 0 }, payload: Buffer.alloc(0) }]);
  });

  test("ignores an empty piece anywhere", () => {
    const log = decodeAll([
      Buffer.alloc(0),
      PING.subarray(0, 5),
      Buffer.alloc(0),
      PING.subarray(5, 20),
      Buffer.alloc(0),
    ]);
    expect(log.frames).toHaveLength(0);
    expect(decodeAll([PING.subarray(0, 20), Buffer.alloc(0), PING.subarray(20)]).frames).toHaveLength(1);
  });

  test("rejects a wrong first byte without waiting for a header", () => {
    expect(protocolFault(() => decodeAll([Buffer.from("G")]))).toBe("BAD_MAGIC");
    expect(protocolFault(() => decodeAll([PING, Buffer.from("G")]))).toBe("BAD_MAGIC");
  });

  test("rejects a length above the limit at the header, before any payload", () => {
    const huge = frame("DATA", Buffer.alloc(1), 1);
    huge.writeUInt32BE(0x10_0001, 8);
    expect(protocolFault(() => decodeAll([huge.subarray(0, 16)]))).toBe("FRAME_TOO_LARGE");
    expect(protocolFault(() => decodeAll(pieces(huge.subarray(0, 16), 1)))).toBe("FRAME_TOO_LARGE");
  });

  test("takes no control frame above 4096 bytes until maxControlBytes is raised", () => {
    const open = (length: number) => frame("OPEN", pattern(length), 1);
    const strict = (bytes: Uint8Array) => protocolFault(() => new FrameDecoder(new FrameLog()).push(bytes));
    expect(strict(open(4_096))).toBeUndefined();
    expect(strict(open(4_097).subarray(0, 16))).toBe("FRAME_TOO_LARGE");
    expect(strict(frame("DATA", pattern(5_000), 1))).toBeUndefined();
    expect(decodeAll([open(65_536)], 65_536).frames).toHaveLength(1);
  });

  test("applies a limit that the sink raises to later frames in the same bytes", () => {
    const log = new FrameLog();
    const decoder: FrameDecoder = new FrameDecoder({
      onFrame: (header, payload) => {
        decoder.maxControlBytes = 65_536;
        log.onFrame(header, payload);
      },
      onData: () => {},
    });
    decoder.push(Buffer.concat([PING, frame("OPEN", pattern(5_000), 1)]));
    expect(log.frames).toHaveLength(2);
  });

  test("delivers the frames before a fault, then throws, then decodes nothing", () => {
    const log = new FrameLog();
    const decoder = new FrameDecoder(log);
    const bytes = Buffer.concat([PING, Buffer.from([0xc5, 0xff]), Buffer.alloc(14), PING]);
    expect(protocolFault(() => decoder.push(bytes))).toBe("UNKNOWN_OPCODE");
    expect(protocolFault(() => decoder.push(PING))).toBeUndefined();
    expect(log.frames).toHaveLength(1);
  });

  test("throws on what the sink throws, and stops", () => {
    let calls = 0;
    const decoder = new FrameDecoder({
      onFrame: () => {
        calls++;
        throw new RangeError("the sink's own");
      },
      onData: () => {},
    });
    expect(() => decoder.push(Buffer.concat([PING, PING]))).toThrow("the sink's own");
    decoder.push(PING);
    expect(calls).toBe(1);
  });
});

describe("FrameDecoder.stop()", () => {
  test("called by the sink ends the decoding within the same bytes", () => {
    let calls = 0;
    const decoder: FrameDecoder = new FrameDecoder({
      onFrame: () => {
        calls++;
        decoder.stop();
      },
      onData: () => calls++,
    });
    decoder.push(Buffer.concat([PING, PING, frame("DATA", pattern(4), 1)]));
    expect(calls).toBe(1);
  });

  test("in the middle of a payload loses it without a fault", () => {
    const log = new FrameLog();
    const decoder = new FrameDecoder(log);
    decoder.push(OPEN.subarray(0, 20));
    decoder.stop();
    decoder.push(OPEN.subarray(20));
    decoder.push(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    expect(log.lines).toEqual([]);
  });
});
