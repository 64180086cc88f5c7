import { describe, expect, test } from "bun:test";
import type { FileBytes } from "../../../lib/session/transport.ts";
import { traceTransport } from "../../../lib/trace/traced-transport.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame } from "../../support/frames.ts";
import { TransportRecorder } from "../../support/transport-recorder.ts";

/** A transport that takes files, too. */
class FileTransport extends FakeTransport {
  override readonly canSendFiles = true;
  readonly files: FileBytes[] = [];

  override sendFile(bytes?: FileBytes): boolean {
    if (bytes !== undefined) this.files.push(bytes);
    return !this.blocked;
  }
}

const PING = frame("PING", Buffer.from("0102030405060708", "hex"));
const PING_LINE = "PING stream=0 length=8 0102030405060708";
const END = frame("END", Buffer.alloc(0), 3);
const END_LINE = "END stream=3 length=0";
const NO_FRAME = Buffer.from("GET / HTTP/1.1\r\n\r\n");

function open() {
  const inner = new FileTransport();
  const lines: string[] = [];
  const transport = traceTransport(inner, (line) => lines.push(line));
  const recorder = new TransportRecorder(transport).start();
  return { inner, lines, transport, recorder };
}

describe("a traced transport", () => {
  test("has a line for its beginning, each frame of each direction, and both ends", () => {
    const { inner, lines, transport } = open();
    transport.write(PING);
    inner.handler?.onBytes(Buffer.concat([PING, END]));
    transport.write(END);
    inner.handler?.onPeerEnd?.();
    inner.handler?.onClosed(undefined);
    expect(lines).toEqual([
      "open fake:1",
      `> ${PING_LINE}`,
      `< ${PING_LINE}`,
      `< ${END_LINE}`,
      `> ${END_LINE}`,
      "< end",
      "closed",
    ]);
  });

  test("has the line of a frame that came in two pieces when it is whole", () => {
    const { inner, lines } = open();
    inner.handler?.onBytes(PING.subarray(0, 20));
    expect(lines).toEqual(["open fake:1"]);
    inner.handler?.onBytes(PING.subarray(20));
    expect(lines).toEqual(["open fake:1", `< ${PING_LINE}`]);
  });

  test("says why it was closed", () => {
    const { inner, lines } = open();
    inner.handler?.onClosed(new Error("reset by peer"));
    expect(lines.at(-1)).toBe("closed: reset by peer");
  });

  test("hands on all that comes: bytes, room, the peer's end, the end with its error", () => {
    const { inner, recorder } = open();
    inner.handler?.onBytes(PING);
    inner.handler?.onDrain();
    inner.handler?.onPeerEnd?.();
    const error = new Error("gone");
    inner.handler?.onClosed(error);
    expect(recorder.bytes.equals(PING)).toBe(true);
    expect([recorder.drains, recorder.peerEnds, recorder.closes]).toEqual([1, 1, [error]]);
  });

  test("hands on all that is sent, and whether there is room", () => {
    const { inner, transport } = open();
    expect(transport.write(PING)).toBe(true);
    inner.blocked = true;
    expect(transport.write(END)).toBe(false);
    expect(inner.bytes.equals(Buffer.concat([PING, END]))).toBe(true);
  });

  test("counts the bytes of a file that is sent past it: the next frame is found", () => {
    const { inner, lines, transport } = open();
    const file: FileBytes = { fd: 0, offset: 0, length: 4_000, release: () => {} };
    transport.write(frame("DATA", Buffer.alloc(4_000), 3).subarray(0, 16));
    expect(transport.sendFile(file)).toBe(true);
    transport.write(END);
    inner.blocked = true;
    expect(transport.sendFile({ ...file, length: 0 })).toBe(false);
    expect(inner.files.map(({ length }) => length)).toEqual([4_000, 0]);
    expect(lines).toEqual(["open fake:1", "> DATA stream=3 length=4000", `> ${END_LINE}`]);
  });

  test("says once that bytes are no frames, and carries them and all that follow", () => {
    const { inner, lines, transport, recorder } = open();
    inner.handler?.onBytes(NO_FRAME);
    inner.handler?.onBytes(PING);
    transport.write(NO_FRAME);
    transport.write(PING);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toStartWith("< no frame: ");
    expect(lines[2]).toStartWith("> no frame: ");
    expect(recorder.bytes.equals(Buffer.concat([NO_FRAME, PING]))).toBe(true);
    expect(inner.bytes.equals(Buffer.concat([NO_FRAME, PING]))).toBe(true);
  });
});
