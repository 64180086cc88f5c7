import { describe, expect, test } from "bun:test";
import { ERRORS } from "../../../lib/errors.ts";
import { pattern } from "../../support/bytes.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { frame, type OpcodeName } from "../../support/frames.ts";
import { codeOf, watch } from "../../support/outcomes.ts";
import { Side, sessionPair, sessionWithPeer } from "../../support/session-pair.ts";

const open = (id: number, flags = 0) => frame("OPEN", { method: "m", params: {} }, id, flags);
const reset = (id: number) => frame("RESET", { code: 0, message: "" }, id);
const everything = (id: number) => [
  frame("ACCEPT", {}, id),
  frame("DATA", pattern(5_000), id),
  frame("CREDIT", Buffer.alloc(4), id),
  frame("END", Buffer.alloc(0), id),
  reset(id),
  ...["ACCEPT", "END", "RESET"].map((name) => frame(name as OpcodeName, Buffer.from("no JSON"), id)),
];

function makeServer() {
  const limits = { credit: 1_000, maxStreams: 2 };
  return sessionWithPeer("server", { local: limits, remote: limits });
}

test("Session: CREDIT may come before ACCEPT, from either side", async () => {
  const grant = Buffer.from([0, 0, 0, 5]);
  const { ends, peer, session } = makeServer();
  session.open({ method: "m", params: {} });
  await peer.send(open(1), frame("CREDIT", grant, 1), frame("CREDIT", grant, 2));
  expect([ends, peer.names]).toEqual([[], ["OPEN"]]);
});

describe("Session: late frames for a stream that is closed", () => {
  test("by the peer's RESET are ignored", async () => {
    const { ends, peer } = makeServer();
    await peer.send(open(1), reset(1), ...everything(1));
    expect([ends, peer.names]).toEqual([[], []]);
  });

  test("by our RESET are ignored", async () => {
    const { ends, peer, session } = makeServer();
    session.open({ method: "m", params: {} }).reset("CANCELLED", "no more");
    await peer.send(...everything(2));
    expect([ends, peer.names]).toEqual([[], ["OPEN", "RESET"]]);
  });

  test("by the ends of both directions are ignored", async () => {
    const made = makeServer();
    await made.peer.send(open(1, 1));
    made.stream.accept({}, { end: true });
    await made.peer.send(...everything(1));
    expect(made.ends).toEqual([]);
  });

  test("because it was refused are ignored", async () => {
    const { ends, opened, peer } = makeServer();
    await peer.send(open(1), open(3), open(5), ...everything(5));
    expect([ends, opened.length, peer.names]).toEqual([[], 2, ["RESET"]]);
  });

  test("because its id was left out are ignored", async () => {
    const { ends, peer } = makeServer();
    await peer.send(open(5), ...everything(1), ...everything(3));
    expect([ends, peer.names]).toEqual([[], []]);
  });

  test("take no effect on the next stream", async () => {
    const made = makeServer();
    await made.peer.send(open(1), reset(1), open(3), frame("DATA", pattern(9), 1), frame("DATA", pattern(4), 3));
    expect(await made.stream.read()).toEqual(pattern(4));
  });
});

describe("Session: an OPEN that is refused", () => {
  test("above maxStreams gets RESET with TOO_MANY_STREAMS; a closed stream makes room", async () => {
    const { ends, opened, peer } = makeServer();
    await peer.send(open(1), open(3), open(5));
    expect(opened.map(({ stream }) => stream.id)).toEqual([1, 3]);
    expect(peer.frames).toMatchObject([{ name: "RESET", stream: 5, json: { code: ERRORS.TOO_MANY_STREAMS.wire } }]);
    await peer.send(reset(1), open(7));
    expect(opened.map(({ stream }) => stream.id)).toEqual([1, 3, 7]);
    expect(ends).toEqual([]);
  });

  test("behind the peer's own GOAWAY gets RESET with SHUTDOWN, while its streams under way go on", async () => {
    const made = makeServer();
    await made.peer.send(open(1), frame("GOAWAY", { code: 0, message: "exit" }), open(3), frame("DATA", pattern(4), 1));
    expect(made.peer.frames).toMatchObject([{ name: "RESET", stream: 3, json: { code: ERRORS.SHUTDOWN.wire } }]);
    expect(await made.stream.read()).toEqual(pattern(4));
    expect(made.ends).toEqual([]);
  });

  test("because we go away gets RESET with SHUTDOWN, while the streams under way go on", async () => {
    const made = makeServer();
    await made.peer.send(open(1, 1));
    made.session.goAway("SHUTDOWN", "stopping", 5_000);
    await made.peer.send(open(3));
    expect(made.peer.last("RESET")).toMatchObject({ stream: 3, json: { code: ERRORS.SHUTDOWN.wire } });
    expect([made.opened.length, made.ends.length]).toEqual([1, 0]);
    made.stream.accept({}, { end: true });
    await settle();
    expect(made.peer.names.at(-1)).toBe("ACCEPT");
    expect(made.peer.ended).toBeTrue();
  });

  test("although the peer went away gets RESET with SHUTDOWN", async () => {
    const { opened, ends, peer } = makeServer();
    await peer.send(open(1), frame("GOAWAY", { code: 0, message: "exit" }), open(3));
    expect(peer.last("RESET")).toMatchObject({ stream: 3, json: { code: ERRORS.SHUTDOWN.wire } });
    expect([opened.length, ends]).toEqual([1, []]);
  });
});

describe("Session: what later versions may send", () => {
  test("unknown members are ignored, and so is a number of an unknown error", async () => {
    const client = sessionWithPeer("client");
    const [first, second] = [await client.open(), await client.open()];
    const [reset, answer] = [watch(first.accepted), watch(second.accepted)];
    await client.peer.send(
      frame("RESET", { code: 9_999, message: "a later error", retryAfter: 5 }, 1),
      frame("ACCEPT", { later: { deep: [1] } }, 3),
    );
    expect(reset.error).toMatchObject({ code: "UNAVAILABLE", message: "a later error" });
    expect(answer.value).toEqual({ later: { deep: [1] } });
    expect(client.ends).toEqual([]);
  });

  test("a RESET with code 0 and no message is CANCELLED, and has something to say", async () => {
    const client = sessionWithPeer("client");
    const answer = watch((await client.open()).accepted);
    await client.peer.send(reset(1));
    expect(answer.error).toMatchObject({ code: "CANCELLED", message: expect.stringContaining("CANCELLED") });
  });
});

describe("Session: a peer that leaves", () => {
  test("without a word ends the session as LOST and fails all streams", async () => {
    const made = makeServer();
    await made.peer.send(open(1));
    const read = watch(made.stream.read());
    const push = watch((await made.open()).accepted);
    await made.peer.close();
    expect([codeOf(read), codeOf(push)]).toEqual(["LOST", "LOST"]);
    expect(made.ends).toMatchObject([{ by: "lost", code: "LOST" }]);
    expect(made.clock.pending).toBe(0);
  });

  test("because the transport failed ends it as LOST, with the reason", async () => {
    const transport = new FakeTransport();
    const { ends, session } = new Side(transport, { side: "server", clock: new FakeClock() });
    transport.handler?.onClosed(new Error("ECONNRESET"));
    await session.closed;
    expect(ends).toMatchObject([{ by: "lost", code: "LOST", message: expect.stringContaining("ECONNRESET") }]);
  });

  test("because the transport failed gives back the buffer that was on its way", async () => {
    const transport = new FakeTransport();
    const { session } = new Side(transport, { side: "server", clock: new FakeClock() });
    transport.blocked = true;
    const write = watch(session.open({ method: "m", params: {} }).write(pattern(50_000)));
    await settle();
    expect([transport.bytes.length > 50_000, write.state]).toEqual([true, "pending"]);
    transport.handler?.onClosed(new Error("ECONNRESET"));
    await settle();
    expect(write.state).not.toBe("pending");
  });

  test("with a word and streams open ends them with that word", async () => {
    const made = makeServer();
    await made.peer.send(open(1), frame("GOAWAY", { code: ERRORS.SHUTDOWN.wire, message: "bye" }));
    expect([made.goAways, made.ends]).toEqual([[{ code: "SHUTDOWN", message: "bye" }], []]);
    const read = watch(made.stream.read());
    await made.peer.close();
    expect(codeOf(read)).toBe("SHUTDOWN");
    expect(made.ends).toEqual([{ by: "remote", code: "SHUTDOWN", message: "bye" }]);
  });

  test("that takes no bytes is reported as congested, until it reads again", async () => {
    const { session, peer } = sessionWithPeer("server", { capacity: 1_000 });
    peer.pause();
    for (let count = 0; count < 10; count++) session.open({ method: "m", params: { text: "x".repeat(60_000) } });
    await settle();
    expect(session.congested).toBeTrue();
    peer.resume();
    await settle();
    expect([session.congested, peer.names.length]).toEqual([false, 10]);
  });
});

describe("Session: both sides with much to say at once", () => {
  const limits = { maxStreams: 128 };
  const capacity = 100_000;
  const text = "x".repeat(8_000);

  test("get their requests through: neither stops reading because the other does", async () => {
    const { client, server } = sessionPair({ capacity, client: limits, server: limits });
    for (let count = 0; count < 100; count++) {
      client.session.open({ method: "m", params: { text } }, { end: true });
      server.session.open({ method: "m", params: { text } }, { end: true });
    }
    await settle();
    expect([client.opened.length, server.opened.length]).toEqual([100, 100]);
  });

  test("get their answers through: neither stops reading because the other does", async () => {
    const { client, server } = sessionPair({ capacity, client: limits, server: limits });
    const streams = [];
    for (let count = 0; count < 100; count++) streams.push(await client.open(), await server.open());
    for (const { stream } of [...client.opened, ...server.opened]) stream.accept({ text });
    const answers = streams.map(({ accepted }) => watch(accepted));
    await settle();
    expect(answers.filter(({ state }) => state === "resolved")).toHaveLength(200);
  });
});

describe("Session.goAway() after the peer's GOAWAY", () => {
  test("sends ours once", async () => {
    const made = makeServer();
    await made.peer.send(open(1), frame("GOAWAY", { code: 0, message: "exit" }));
    made.session.goAway("SHUTDOWN", "stopping", 5_000);
    await settle();
    expect(made.peer.names).toEqual(["GOAWAY"]);
  });

  test("called twice sends ours once: a second would be a violation", async () => {
    const made = makeServer();
    await made.peer.send(open(1), frame("GOAWAY", { code: 0, message: "exit" }));
    made.session.goAway("SHUTDOWN", "stopping", 5_000);
    made.session.goAway("SHUTDOWN", "stopping", 5_000);
    await settle();
    expect(made.peer.names).toEqual(["GOAWAY"]);
  });
});
