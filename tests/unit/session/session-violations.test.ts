import { describe, expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "../../../lib/errors.ts";
import { pattern } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { frame, HELLO } from "../../support/frames.ts";
import { sessionWithPeer } from "../../support/session-pair.ts";

const open = (id: number, flags = 0) => frame("OPEN", { method: "m", params: {} }, id, flags);
const data = (id: number, length = 1) => frame("DATA", pattern(length), id);
const end = (id: number) => frame("END", Buffer.alloc(0), id);
const accept = (id: number, flags = 0) => frame("ACCEPT", {}, id, flags);
const goAway = frame("GOAWAY", { code: 0, message: "exit" });
const badJson = Buffer.from("{]");

function credit(id: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame("CREDIT", payload, id);
}

/** A server's session; the peer plays the client. Grants the peer 1000 bytes, was granted as much. */
function makeServer() {
  const limits = { credit: 1_000, maxStreams: 2 };
  return sessionWithPeer("server", { local: limits, remote: limits });
}

describe("Session: a violation ends the session with its code", () => {
  const violations: [string, ErrorCode, Buffer[]][] = [
    ["DATA for a stream that was never opened", "BAD_STREAM", [data(1)]],
    ["DATA for a stream of ours that was never opened", "BAD_STREAM", [data(2)]],
    ["ACCEPT for a stream that was never opened", "BAD_STREAM", [accept(2)]],
    ["CREDIT for a stream that was never opened", "BAD_STREAM", [credit(1, 5)]],
    ["END for a stream that was never opened", "BAD_STREAM", [end(1)]],
    ["RESET for a stream that was never opened", "BAD_STREAM", [frame("RESET", { code: 0, message: "" }, 1)]],
    ["an OPEN with an id of our side", "BAD_STREAM", [open(2)]],
    ["an OPEN with an id that was used", "BAD_STREAM", [open(3), open(3)]],
    [
      "an OPEN with an id that was used and is closed",
      "BAD_STREAM",
      [open(1), frame("RESET", { code: 0, message: "" }, 1), open(1)],
    ],
    ["an OPEN with an id below one that was used", "BAD_STREAM", [open(3), open(1)]],
    ["an OPEN with an id that was refused", "BAD_STREAM", [open(1), open(3), open(5), open(5)]],
    ["a HELLO after admission", "UNEXPECTED_FRAME", [frame("HELLO", HELLO)]],
    ["a QUEUED after admission", "UNEXPECTED_FRAME", [frame("QUEUED", { position: 1 })]],
    ["a WELCOME after admission", "UNEXPECTED_FRAME", [frame("WELCOME", {})]],
    ["a REFUSE after admission", "UNEXPECTED_FRAME", [frame("REFUSE", {})]],
    ["a PONG that answers nothing", "UNEXPECTED_FRAME", [frame("PONG", pattern(8))]],
    ["an ACCEPT from the opener", "UNEXPECTED_FRAME", [open(1), accept(1)]],
    ["DATA behind END", "UNEXPECTED_FRAME", [open(1), end(1), data(1)]],
    ["DATA behind an OPEN with END", "UNEXPECTED_FRAME", [open(1, 1), data(1)]],
    ["a second END", "UNEXPECTED_FRAME", [open(1), end(1), end(1)]],
    ["DATA above the credit", "CREDIT_EXCEEDED", [open(1), data(1, 600), data(1, 401)]],
    ["a CREDIT of 0", "CREDIT_EXCEEDED", [open(1), credit(1, 0)]],
    ["a CREDIT above the largest balance", "CREDIT_EXCEEDED", [open(1), credit(1, 0x7fff_ffff)]],
    ["an OPEN that is not JSON", "BAD_PAYLOAD", [frame("OPEN", badJson, 1)]],
    ["an OPEN of another shape", "BAD_PAYLOAD", [frame("OPEN", { method: 1 }, 1)]],
    ["an END that is not JSON", "BAD_PAYLOAD", [open(1), frame("END", badJson, 1)]],
    ["a RESET that is not JSON", "BAD_PAYLOAD", [open(1), frame("RESET", badJson, 1)]],
    ["a GOAWAY of another shape", "BAD_PAYLOAD", [open(1), frame("GOAWAY", { code: "0" })]],
    ["a second GOAWAY", "UNEXPECTED_FRAME", [open(1), goAway, goAway]],
    ["bytes of another protocol", "BAD_MAGIC", [Buffer.from("hello")]],
  ];
  test.each(violations)("%s is %s", async (_what, code, frames) => {
    const { session, ends, opened, peer, clock } = makeServer();
    const before = opened.length + frames.filter((bytes) => bytes[1] === 0x10).length;
    await peer.send(...frames, open(99));
    expect(ends).toMatchObject([{ by: "local", code }]);
    expect(peer.last("GOAWAY")?.json.code).toBe(ERRORS[code].wire);
    expect(peer.names.at(-1)).toBe("GOAWAY");
    expect(opened.length).toBeLessThanOrEqual(before); // nothing behind the violation was decoded
    expect(opened.some(({ stream }) => stream.id === 99)).toBeFalse();
    await session.closed;
    expect([peer.ended, clock.pending]).toEqual([true, 0]);
  });

  const ofResponder: [string, ErrorCode, Buffer[]][] = [
    ["DATA before ACCEPT", "UNEXPECTED_FRAME", [data(1)]],
    ["END before ACCEPT", "UNEXPECTED_FRAME", [end(1)]],
    ["a second ACCEPT", "UNEXPECTED_FRAME", [accept(1), accept(1)]],
    ["DATA behind an ACCEPT with END", "UNEXPECTED_FRAME", [accept(1, 1), data(1)]],
    ["an ACCEPT that is not JSON", "BAD_PAYLOAD", [frame("ACCEPT", badJson, 1)]],
  ];
  test.each(ofResponder)("from the responder, %s is %s", async (_what, code, frames) => {
    const client = sessionWithPeer("client");
    await client.open();
    await client.peer.send(...frames);
    expect(client.ends).toMatchObject([{ by: "local", code }]);
    expect(client.peer.last("GOAWAY")?.json.code).toBe(ERRORS[code].wire);
  });

  test("a second GOAWAY is UNEXPECTED_FRAME also when we have said goodbye, which we do not say twice", async () => {
    const { session, opened, peer, ends } = makeServer();
    await peer.send(open(1));
    session.goAway("SHUTDOWN", "stopping", 5_000);
    await peer.send(goAway, goAway);
    expect(opened).toHaveLength(1);
    expect(ends).toMatchObject([{ by: "local", code: "UNEXPECTED_FRAME" }]);
    expect(peer.names.filter((name) => name === "GOAWAY")).toHaveLength(1);
  });

  test("a violation fails the streams under way, here with its code", async () => {
    const { ends, peer, stream } = await (async () => {
      const made = makeServer();
      await made.peer.send(open(1));
      return made;
    })();
    await peer.send(Buffer.from("hello"));
    expect(ends).toHaveLength(1);
    await expect(stream.read()).rejects.toMatchObject({ code: "BAD_MAGIC" });
  });

  test("a silent peer is HEARTBEAT_TIMEOUT", async () => {
    const { ends, peer, clock } = makeServer();
    await clock.advance(44_999);
    expect([ends.length, peer.frames.map(({ name }) => name)]).toEqual([0, ["PING", "PING"]]);
    await clock.advance(1);
    expect(ends).toMatchObject([{ by: "local", code: "HEARTBEAT_TIMEOUT" }]);
    expect(peer.last("GOAWAY")?.json.code).toBe(ERRORS.HEARTBEAT_TIMEOUT.wire);
    await settle();
    expect(clock.pending).toBe(0);
  });
});
