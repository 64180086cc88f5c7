import { describe, expect, test } from "bun:test";
import { ERRORS, type ErrorCode } from "../../lib/errors.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { frame, HELLO } from "../support/frames.ts";
import { getting } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const open = (stream: number, request: object, flags = 1) => frame("OPEN", request, stream, flags);
const deep = `{"a":${"[".repeat(40)}${"]".repeat(40)}}`;

/** A header with whatever fields a test wants. */
function header(fields: {
  magic?: number;
  opcode?: number;
  flags?: number;
  stream?: number;
  length?: number;
  reserved?: number;
}): Buffer {
  const bytes = frame(fields.opcode ?? 0x05, Buffer.alloc(0), fields.stream ?? 0, fields.flags ?? 0);
  bytes.writeUInt8(fields.magic ?? 0xc5, 0);
  bytes.writeUInt32BE(fields.length ?? 8, 8);
  bytes.writeUInt32BE(fields.reserved ?? 0, 12);
  return bytes;
}

/** The honest client beside the bad one: it must not notice anything. */
async function expectUnharmed(server: TestServer): Promise<void> {
  const honest = await server.tcpClient();
  expect((await honest.send("fine")).text).toBe("fine ACK");
  await honest.close();
  await until(() => server.server.seats.taken === 0);
}

describe("before admission", () => {
  const cases: [string, ErrorCode, Uint8Array][] = [
    ["bytes of another protocol", "BAD_MAGIC", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["a TLS ClientHello", "BAD_MAGIC", Buffer.from([0x16, 0x03, 0x01])],
    ["an unknown opcode", "UNKNOWN_OPCODE", header({ opcode: 0xee })],
    ["flags that HELLO has not", "BAD_HEADER", header({ opcode: 1, flags: 1, length: 2 })],
    ["reserved bytes", "BAD_HEADER", header({ opcode: 1, length: 2, reserved: 1 })],
    ["a HELLO on a stream", "BAD_HEADER", header({ opcode: 1, stream: 1, length: 2 })],
    ["a HELLO of 4 GB", "FRAME_TOO_LARGE", header({ opcode: 1, length: 0xffff_ffff })],
    [
      "a control frame above the limit before admission",
      "FRAME_TOO_LARGE",
      header({ opcode: 0x10, stream: 1, length: 5_000 }),
    ],
    ["a HELLO without payload", "BAD_HEADER", header({ opcode: 1, length: 0 })],
    ["a request instead of HELLO", "UNEXPECTED_FRAME", open(1, { method: "list" })],
    ["a PING instead of HELLO", "UNEXPECTED_FRAME", frame("PING", Buffer.alloc(8))],
    ["DATA instead of HELLO", "UNEXPECTED_FRAME", frame("DATA", Buffer.from("x"), 1)],
    ["a HELLO that is no JSON", "BAD_PAYLOAD", frame("HELLO", Buffer.from("{oops"))],
    ["a HELLO that is no UTF-8", "BAD_PAYLOAD", frame("HELLO", Buffer.from([0x22, 0xff, 0x22]))],
    ["a HELLO that is too deep", "BAD_PAYLOAD", frame("HELLO", Buffer.from(deep))],
    ["a HELLO of the wrong shape", "BAD_PAYLOAD", frame("HELLO", { ...HELLO, credit: -1 })],
    ["a HELLO that is an array", "BAD_PAYLOAD", frame("HELLO", [1, 2])],
    ["a version to come", "UNSUPPORTED_VERSION", frame("HELLO", { ...HELLO, versions: { min: 2, max: 9 } })],
  ];
  test.each(cases)("%s is refused with %s", async (_, code, bytes) => {
    await using server = new TestServer();
    await using peer = await RawPeer.connect(server.listen());
    peer.send(bytes);
    const refusal = await peer.next("REFUSE");
    expect(refusal.json.code).toBe(ERRORS[code].wire);
    expect(refusal.json.message).not.toBe("");
    await until(() => peer.ended);
    expect(server.events.filter(({ event }) => event === "refused")).toMatchObject([{ code }]);
    await expectUnharmed(server);
  });

  test("a client with an unsupported version learns the server's versions", async () => {
    await using server = new TestServer();
    await using peer = await RawPeer.connect(server.listen());
    peer.send(frame("HELLO", { ...HELLO, versions: { min: 2, max: 9 } }));
    expect((await peer.next("REFUSE")).json.versions).toEqual({ min: 1, max: 1 });
  });

  test("silence is refused after the handshake time", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    await using peer = await RawPeer.connect(server.listen());
    await until(() => clock.pending > 1);
    await clock.advance(9_999);
    expect(peer.frames).toEqual([]);
    await clock.advance(1);
    expect((await peer.next("REFUSE")).json.code).toBe(ERRORS.HANDSHAKE_TIMEOUT.wire);
  });

  test("a HELLO that comes one byte a second is refused after the handshake time", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    await using peer = await RawPeer.connect(server.listen());
    await until(() => clock.pending > 1);
    for (const byte of frame("HELLO", HELLO).subarray(0, 10)) {
      peer.send(Buffer.from([byte]));
      await clock.advance(1_000);
    }
    expect((await peer.next("REFUSE")).json.code).toBe(ERRORS.HANDSHAKE_TIMEOUT.wire);
    expect(server.server.seats.taken).toBe(0);
  });

  test("a second frame after HELLO, while waiting for a seat, is refused", async () => {
    await using server = new TestServer({ maxClients: 1 });
    const port = server.listen();
    await using _ = await RawPeer.admitted(port);
    await using peer = await RawPeer.connect(port);
    peer.send(frame("HELLO", { ...HELLO, wait: true }), open(1, { method: "list" }));
    expect((await peer.next("REFUSE")).json.code).toBe(ERRORS.UNEXPECTED_FRAME.wire);
    expect(server.server.seats.waiting).toBe(0);
  });
});

describe("in a session", () => {
  const big = getting("big");
  const bye = { code: 0, message: "exit" };
  const cases: [string, ErrorCode, Uint8Array[]][] = [
    ["another magic", "BAD_MAGIC", [header({ magic: 0x43 })]],
    ["an unknown opcode", "UNKNOWN_OPCODE", [header({ opcode: 0x77 })]],
    ["a length above the limit", "FRAME_TOO_LARGE", [header({ opcode: 0x12, stream: 1, length: 1_048_577 })]],
    ["a second HELLO", "UNEXPECTED_FRAME", [frame("HELLO", HELLO)]],
    ["a WELCOME", "UNEXPECTED_FRAME", [frame("WELCOME", {})]],
    ["a PONG that answers nothing", "UNEXPECTED_FRAME", [frame("PONG", Buffer.alloc(8, 7))]],
    ["an OPEN that is no JSON", "BAD_PAYLOAD", [frame("OPEN", Buffer.from("nope"), 1)]],
    ["an OPEN that is too deep", "BAD_PAYLOAD", [frame("OPEN", Buffer.from(deep), 1)]],
    ["an OPEN without a method", "BAD_PAYLOAD", [open(1, { params: {} })]],
    ["an OPEN with an even id", "BAD_STREAM", [open(2, { method: "status" })]],
    ["an OPEN with an id used before", "BAD_STREAM", [open(5, { method: "status" }), open(5, { method: "status" })]],
    ["an OPEN with an id below the last", "BAD_STREAM", [open(5, { method: "status" }), open(3, { method: "status" })]],
    ["DATA without a stream", "BAD_STREAM", [frame("DATA", Buffer.from("x"), 9)]],
    ["CREDIT without a stream", "BAD_STREAM", [frame("CREDIT", Buffer.from([0, 0, 0, 1]), 9)]],
    ["DATA on a stream of the server that it never opened", "BAD_STREAM", [frame("DATA", Buffer.from("x"), 2)]],
    ["an ACCEPT from the opener", "UNEXPECTED_FRAME", [big, frame("ACCEPT", {}, 1)]],
    ["DATA behind END", "UNEXPECTED_FRAME", [big, frame("END", undefined, 1), frame("DATA", Buffer.from("x"), 1)]],
    ["an OPEN whose params are an array", "BAD_PAYLOAD", [open(1, { method: "list", params: [] })]],
    ["a second GOAWAY", "UNEXPECTED_FRAME", [big, frame("GOAWAY", bye), frame("GOAWAY", bye)]],
  ];
  test.each(cases)("%s ends it with %s", async (_, code, bytes) => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(8 * 1024 * 1024));
    await using peer = await RawPeer.admitted(server.listen(), { credit: 1 });
    peer.send(...bytes);
    const goodbye = await peer.next("GOAWAY");
    expect(goodbye.json.code).toBe(ERRORS[code].wire);
    await until(() => peer.ended);
    const left = server.events.filter(({ event }) => event === "left");
    expect(left).toMatchObject([{ name: "Client01", reason: "protocol error", message: goodbye.json.message }]);
    await until(() => server.server.seats.taken === 0);
    await expectUnharmed(server);
  });

  test("a grant that lifts the credit above its limit ends it with CREDIT_EXCEEDED", async () => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(8 * 1024 * 1024));
    await using peer = await RawPeer.admitted(server.listen());
    const grant = frame("CREDIT", Buffer.from([0x7f, 0xff, 0xff, 0xff]), 1);
    peer.send(getting("big"));
    await peer.next("ACCEPT");
    peer.pause();
    peer.send(grant, grant);
    await until(() => server.server.seats.taken === 0);
    peer.resume();
    expect((await peer.next("GOAWAY")).json.code).toBe(ERRORS.CREDIT_EXCEEDED.wire);
  });

  test("a grant of nothing ends it with CREDIT_EXCEEDED", async () => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(8 * 1024 * 1024));
    await using peer = await RawPeer.admitted(server.listen(), { credit: 1 });
    peer.send(getting("big"));
    await peer.next("DATA");
    peer.send(frame("CREDIT", Buffer.alloc(4), 1));
    expect((await peer.next("GOAWAY")).json.code).toBe(ERRORS.CREDIT_EXCEEDED.wire);
  });

  const requests: [string, ErrorCode, object][] = [
    ["an unknown method", "UNKNOWN_METHOD", { method: "selfdestruct" }],
    ["parameters of the wrong shape", "BAD_PARAMS", { method: "stat", params: { path: 7 } }],
    ["parameters that lack one", "BAD_PARAMS", { method: "stat" }],
    ["an empty message", "BAD_PARAMS", { method: "message", params: { text: "" } }],
    ["an operator's method", "NOT_ALLOWED", { method: "kick", params: { name: "Client01" } }],
  ];
  test.each(requests)("%s resets its stream with %s and nothing else", async (_, code, request) => {
    await using server = new TestServer();
    await using peer = await RawPeer.admitted(server.listen());
    peer.send(open(1, request));
    const reset = await peer.next("RESET");
    expect(reset.stream).toBe(1);
    expect(reset.json.code).toBe(ERRORS[code].wire);
    peer.send(open(3, { method: "message", params: { text: "on" } }));
    expect((await peer.next("ACCEPT")).json.text).toBe("on ACK");
  });

  test("a body that the method does not take resets the stream at once", async () => {
    await using server = new TestServer();
    await using peer = await RawPeer.admitted(server.listen());
    peer.send(
      open(1, { method: "status" }, 0),
      frame("DATA", Buffer.alloc(1_048_576), 1),
      frame("DATA", Buffer.from("x"), 1),
    );
    expect(await peer.next("RESET")).toMatchObject({ stream: 1, json: { code: ERRORS.BAD_PARAMS.wire } });
    peer.send(open(3, { method: "message", params: { text: "on" } }));
    expect((await peer.next("ACCEPT")).json.text).toBe("on ACK");
  });

  test("streams above the limit are reset, those below go on", async () => {
    await using server = new TestServer({ limits: { credit: 1_000, maxStreams: 2 } });
    server.storage.set("big", new Uint8Array(1_000_000));
    await using peer = await RawPeer.admitted(server.listen(), { credit: 10 });
    for (const id of [1, 3, 5]) peer.send(getting("big", id));
    const reset = await peer.next("RESET");
    expect(reset).toMatchObject({ stream: 5, json: { code: ERRORS.TOO_MANY_STREAMS.wire } });
    await until(() => peer.frames.filter(({ name }) => name === "DATA").length === 2);
  });

  test("frames for a stream that is over are ignored", async () => {
    await using server = new TestServer();
    await using peer = await RawPeer.admitted(server.listen());
    peer.send(open(1, { method: "nothing" }, 0));
    await peer.next("RESET");
    peer.send(
      frame("DATA", Buffer.from("late"), 1),
      frame("CREDIT", Buffer.from([0, 0, 0, 9]), 1),
      frame("END", undefined, 1),
    );
    peer.send(open(3, { method: "message", params: { text: "on" } }));
    expect((await peer.next("ACCEPT")).json.text).toBe("on ACK");
  });
});

describe("a peer that never reads", () => {
  test("is not sent more than its credit, and costs others nothing", async () => {
    await using server = new TestServer({ maxClients: 2 });
    server.storage.set("big", new Uint8Array(64 * 1024 * 1024));
    await using deaf = await RawPeer.admitted(server.listen(), { credit: 2_147_483_647 });
    deaf.pause();
    for (const id of [1, 3, 5]) deaf.send(getting("big", id));
    const honest = await server.tcpClient();
    for (let round = 0; round < 50; round++) expect((await honest.send(`${round}`)).text).toBe(`${round} ACK`);
    expect(server.server.members.find("Client01")?.bytesOut).toBeLessThan(32 * 1024 * 1024);
  });

  test("that floods with pings is no longer read from, and then found dead", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    await using deaf = await RawPeer.admitted(server.listen());
    deaf.pause();
    const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frame("PING", Buffer.alloc(8))));
    // Until both kernels are full and our own bytes stay unsent: the server has stopped to read.
    await until(() => {
      if (deaf.unsentBytes < pings.length) deaf.send(pings);
      return deaf.unsentBytes > 4 * pings.length || (server.server.members.clients[0]?.session.congested ?? false);
    });
    await clock.advance(60_000);
    expect(server.server.seats.taken).toBe(0);
    expect(server.events.at(-1)).toMatchObject({ reason: "timeout" });
  });

  test("does not hold up a message to all", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    await using deaf = await RawPeer.admitted(server.listen());
    deaf.pause();
    const got: string[] = [];
    const sender = await server.tcpClient();
    const other = await server.tcpClient({ onMessage: ({ text }) => got.push(text) });
    const sending = sender.send("hello", "all");
    await until(() => got.length === 1);
    await clock.advance(10_000);
    const { delivered, failed } = await sending;
    expect(delivered).toEqual([other.name]);
    expect(failed).toMatchObject([{ name: "Client01" }]);
  });
});
