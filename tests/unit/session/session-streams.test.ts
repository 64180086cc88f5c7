import { describe, expect, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import { pattern, wholeOf } from "../../support/bytes.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf, rejection, watch } from "../../support/outcomes.ts";
import { sessionPair } from "../../support/session-pair.ts";

describe("Session: a request", () => {
  test("reaches the other side with method and params, and its answer comes back", async () => {
    const { client, server } = sessionPair();
    const stream = client.session.open({ method: "stat", params: { path: "a" } }, { end: true });
    await settle();
    expect(server.opened.map(({ request }) => request)).toEqual([{ method: "stat", params: { path: "a" } }]);
    server.stream.accept({ size: 3 }, { end: true });
    expect(await stream.accepted).toEqual({ size: 3 });
    await Promise.all([stream.closed, server.stream.closed]);
  });

  test("may have bodies in both directions, with trailers", async () => {
    const { client, server } = sessionPair();
    const stream = await client.open();
    const sent = [stream.write(pattern(20_000, 1)), stream.end({ sum: 1 })];
    server.stream.accept({});
    sent.push(server.stream.write(pattern(30_000, 2)), server.stream.end({ sum: 2 }));
    const bodies = [wholeOf(server.stream.body()), wholeOf(stream.body())] as const;
    const [there, back] = await Promise.all(bodies);
    await Promise.all(sent);
    expect(there.equals(pattern(20_000, 1))).toBeTrue();
    expect(back.equals(pattern(30_000, 2))).toBeTrue();
    expect([server.stream.trailer, stream.trailer]).toEqual([{ sum: 1 }, { sum: 2 }]);
    await Promise.all([stream.closed, server.stream.closed]);
    expect([client.ends, server.ends]).toEqual([[], []]);
  });

  test("may be opened by the server as well", async () => {
    const { client, server } = sessionPair();
    const push = await server.open("message", { end: true });
    client.stream.accept({}, { end: true });
    expect(await push.accepted).toEqual({});
  });

  test("opened with end has no body: the other side reads its end at once", async () => {
    const { client, server } = sessionPair();
    await client.open("get", { end: true });
    expect(await server.stream.read()).toBeUndefined();
  });

  test("that no frame can hold fails where it is made, and the session goes on", async () => {
    const { client, server } = sessionPair();
    const open = () => client.session.open({ method: "m", params: { text: "x".repeat(65_536) } });
    expect(open).toThrow(CommError);
    await client.open();
    expect([server.opened.length, client.ends, server.ends]).toEqual([1, [], []]);
  });

  test("refused with reset() fails with the other side's code and message", async () => {
    const { client, server } = sessionPair();
    const stream = await client.open("get", { end: true });
    server.stream.reset("NOT_FOUND", "There is no a.");
    const error = await rejection(stream.accepted);
    expect(error).toMatchObject({ name: "RemoteError", code: "NOT_FOUND", message: "There is no a." });
    await stream.closed;
  });

  test("given up by its opener fails on the other side, which reads and writes no more", async () => {
    const { client, server } = sessionPair();
    const stream = await client.open();
    server.stream.accept({});
    const outcomes = [watch(server.stream.read()), watch(server.stream.write(pattern(200_000)))];
    await settle();
    stream.reset("CANCELLED", "no more");
    await settle();
    expect(outcomes.map(codeOf)).toEqual(["CANCELLED", "CANCELLED"]);
    expect([client.ends, server.ends]).toEqual([[], []]);
  });

  test("whose body is left early is cancelled at its sender; another stream goes on", async () => {
    const { client, server } = sessionPair();
    const left = await client.open("get", { end: true });
    const sender = server.stream;
    sender.accept({});
    const write = watch(sender.write(pattern(1_000_000)));
    const other = await client.open("get", { end: true });
    for await (const _ of left.body()) break;
    await settle();
    expect(codeOf(write)).toBe("CANCELLED");
    server.stream.accept({ well: true }, { end: true });
    expect(await other.accepted).toEqual({ well: true });
  });
});

describe("Session: stream ids", () => {
  test("are odd for the client and even for the server, rising, never used twice", async () => {
    const { client, server } = sessionPair();
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let count = 0; count < 3; count++) {
      const stream = await client.open();
      ours.push(stream.id);
      stream.reset("CANCELLED", "next");
      theirs.push((await server.open()).id);
    }
    expect([ours, theirs]).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ]);
    expect(server.opened.map(({ stream }) => stream.id)).toEqual([1, 3, 5]);
  });
});

describe("Session: maxStreams", () => {
  test("open() above the other side's limit is TOO_MANY_STREAMS, and sends nothing", async () => {
    const { client, server } = sessionPair({ server: { maxStreams: 2 } });
    const first = await client.open();
    await client.open();
    expect(() => client.session.open({ method: "third", params: {} })).toThrow(
      new CommError("TOO_MANY_STREAMS", "The other end allows 2 requests at once."),
    );
    await settle();
    expect(server.opened).toHaveLength(2);

    first.reset("CANCELLED", "make room");
    await client.open("third");
    expect(server.opened).toHaveLength(3);
    expect([client.ends, server.ends]).toEqual([[], []]);
  });

  test("counts the two sides apart", async () => {
    const { client, server } = sessionPair({ client: { maxStreams: 1 }, server: { maxStreams: 1 } });
    await client.open();
    await server.open();
    expect(() => client.session.open({ method: "m", params: {} })).toThrow("1 requests");
    expect(() => server.session.open({ method: "m", params: {} })).toThrow("1 requests");
    expect([client.opened.length, server.opened.length]).toEqual([1, 1]);
  });
});

describe("Session: credit", () => {
  test("a writer is held back until the reader reads", async () => {
    const { client, server } = sessionPair({ server: { credit: 10_000 } });
    const stream = await client.open();
    const write = watch(stream.write(pattern(20_000)));
    await settle();
    expect(write.state).toBe("pending");

    const body = server.stream.body();
    const first = await body.next();
    await settle();
    expect(write.state).toBe("pending"); // the piece is held and not yet in its sink
    const second = body.next();
    await settle();
    expect(write.state).toBe("resolved");
    expect(Buffer.concat([first.value as Uint8Array, (await second).value as Uint8Array]).equals(pattern(20_000)));
  });

  test("a reader that does not read holds back no other stream, no control frame, no direction", async () => {
    const { client, server } = sessionPair({ server: { credit: 1_000 }, client: { credit: 1_000 } });
    const stuck = await client.open("stuck");
    const stuckThere = server.stream;
    const write = watch(stuck.write(pattern(5_000)));
    await settle();

    const other = await client.open("other");
    const sent = Promise.all([other.write(pattern(5_000)), other.end()]);
    const body = await Array.fromAsync(server.stream.body());
    await sent;
    expect(Buffer.concat(body)).toHaveLength(5_000);

    stuckThere.accept({ back: true });
    watch(stuckThere.write(pattern(1_000)));
    expect(await stuck.accepted).toEqual({ back: true });
    expect(await stuck.read()).toHaveLength(1_000);
    expect(write.state).toBe("pending");
  });

  test("a slow reader gets every byte, in order", async () => {
    const { client, server } = sessionPair({ server: { credit: 1_000 }, capacity: 300 });
    const stream = await client.open();
    const sent = Promise.all([stream.write(pattern(50_000)), stream.end()]);
    const received: Uint8Array[] = [];
    for await (const piece of server.stream.body()) {
      expect(piece.length).toBeLessThanOrEqual(1_000);
      received.push(piece);
      await settle();
    }
    await sent;
    expect(Buffer.concat(received).equals(pattern(50_000))).toBeTrue();
  });

  test("of 0 lets nothing through", async () => {
    const { client, server } = sessionPair({ server: { credit: 0 } });
    const stream = await client.open();
    const write = watch(stream.write(pattern(1)));
    watch(server.stream.read());
    await settle();
    expect(write.state).toBe("pending");
    stream.reset("CANCELLED", "in vain");
    await settle();
    expect(codeOf(write)).toBe("CANCELLED");
  });
});
