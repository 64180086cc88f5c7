import { describe, expect, test } from "bun:test";
import { pattern, wholeOf } from "../../support/bytes.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeTransport } from "../../support/fake-transport.ts";
import { codeOf, rejection, watch } from "../../support/outcomes.ts";
import { HEARTBEAT_MS, Side, sessionPair } from "../../support/session-pair.ts";

describe("Session.goAway()", () => {
  test("without streams closes at once, and both sides know why and by whom", async () => {
    const { client, server, clock } = sessionPair();
    client.session.goAway("OK", "exit", 1_000);
    await Promise.all([client.session.closed, server.session.closed]);
    expect(client.ends).toEqual([{ by: "local", code: "OK", message: "exit" }]);
    expect(server.ends).toEqual([{ by: "remote", code: "OK", message: "exit" }]);
    expect(server.goAways).toEqual([{ code: "OK", message: "exit" }]);
    expect(clock.pending).toBe(0);
  });

  test("lets a stream under way end with its body and trailer, and then closes", async () => {
    const { client, server, clock } = sessionPair();
    const stream = await client.open("get", { end: true });
    server.stream.accept({});
    await settle();
    server.session.goAway("SHUTDOWN", "stopping", 5_000);
    await settle();
    expect([client.ends, server.ends]).toEqual([[], []]);

    const sent = Promise.all([server.stream.write(pattern(200_000)), server.stream.end({ sum: 1 })]);
    const body = await wholeOf(stream.body());
    await sent;
    await Promise.all([client.session.closed, server.session.closed]);
    expect(body.equals(pattern(200_000))).toBeTrue();
    expect(stream.trailer).toEqual({ sum: 1 });
    expect(client.ends).toEqual([{ by: "remote", code: "SHUTDOWN", message: "stopping" }]);
    expect(server.ends).toEqual([{ by: "local", code: "SHUTDOWN", message: "stopping" }]);
    expect(clock.pending).toBe(0);
  });

  test("lets the last answer through when its ACCEPT ends the last stream", async () => {
    const { client, server } = sessionPair();
    const stream = await client.open("kick", { end: true });
    server.session.goAway("SHUTDOWN", "stopping", 5_000);
    server.stream.accept({ done: true }, { end: true });
    expect(await stream.accepted).toEqual({ done: true });
    await client.session.closed;
  });

  test("lets the last RESET through too", async () => {
    const { client, server } = sessionPair();
    const stream = await client.open("get", { end: true });
    server.session.goAway("SHUTDOWN", "stopping", 5_000);
    server.stream.reset("NOT_FOUND", "gone");
    expect((await rejection(stream.accepted)).code).toBe("NOT_FOUND");
    await client.session.closed;
  });

  test.each([
    ["goes away", "server", "CommError"],
    ["is told to", "client", "RemoteError"],
  ] as const)("open() on the side that %s fails with the reason", async (_what, who, name) => {
    const pair = sessionPair();
    await pair.client.open(); // keeps the session from closing
    pair.server.session.goAway("SHUTDOWN", "stopping", 5_000);
    await settle();
    const open = () => pair[who].session.open({ method: "m", params: {} });
    expect(open).toThrow(expect.objectContaining({ name, code: "SHUTDOWN", message: "stopping" }));
  });

  test("after the deadline fails the streams that are left, on both sides", async () => {
    const { client, server, clock } = sessionPair();
    const stream = await client.open();
    const answer = watch(stream.accepted);
    const read = watch(server.stream.read());
    server.session.goAway("SHUTDOWN", "stopping", 5_000);
    await clock.advance(4_999);
    expect([answer.state, server.ends.length]).toEqual(["pending", 0]);
    await clock.advance(1);
    expect([codeOf(answer), codeOf(read)]).toEqual(["SHUTDOWN", "SHUTDOWN"]);
    await Promise.all([client.session.closed, server.session.closed]);
    expect(server.ends).toEqual([{ by: "local", code: "SHUTDOWN", message: "stopping" }]);
    expect(clock.pending).toBe(0);
  });

  test("by both sides at once ends in order, each by its own word", async () => {
    const { client, server } = sessionPair();
    client.session.goAway("OK", "exit", 1_000);
    server.session.goAway("SHUTDOWN", "stopping", 1_000);
    await Promise.all([client.session.closed, server.session.closed]);
    expect([client.ends, server.ends]).toMatchObject([
      [{ by: "local", code: "OK" }],
      [{ by: "local", code: "SHUTDOWN" }],
    ]);
  });

  test.each([
    ["a server that ends in order waits longer for the client's end", "server", 10_000],
    ["a client does not", "client", undefined],
  ] as const)("%s", (_what, side, lingerMs) => {
    const transport = new FakeTransport();
    const { session } = new Side(transport, { side, clock: new FakeClock() });
    session.goAway("OK", "exit", 1_000);
    expect([transport.closed, transport.lingerMs]).toEqual([true, lingerMs]);
  });

  test("has no effect on a session that has ended", async () => {
    const { client, server, clock } = sessionPair();
    client.session.terminate("OK", "exit");
    await server.session.closed;
    client.session.goAway("OK", "again", 1_000);
    server.session.goAway("OK", "again", 1_000);
    await settle();
    expect([client.ends.length, server.ends.length, clock.pending]).toEqual([1, 1, 0]);
  });
});

describe("Session.terminate()", () => {
  test("ends now: streams fail on both sides, with the reason", async () => {
    const { client, server, clock } = sessionPair();
    const stream = await client.open();
    const outcomes = [watch(stream.accepted), watch(stream.write(pattern(200_000))), watch(server.stream.read())];
    server.session.terminate("KICKED", "out");
    await settle();
    expect(outcomes.map(codeOf)).toEqual(["KICKED", "KICKED", "KICKED"]);
    expect(client.ends).toEqual([{ by: "remote", code: "KICKED", message: "out" }]);
    expect(server.ends).toEqual([{ by: "local", code: "KICKED", message: "out" }]);
    await Promise.all([client.session.closed, server.session.closed]);
    expect(clock.pending).toBe(0);
  });

  test("does not wait longer than others for the client's end", () => {
    const transport = new FakeTransport();
    const { session } = new Side(transport, { side: "server", clock: new FakeClock() });
    session.terminate("KICKED", "out");
    expect([transport.closed, transport.lingerMs]).toEqual([true, undefined]);
  });

  test("a second time has no effect", async () => {
    const { client, server } = sessionPair();
    server.session.terminate("KICKED", "out");
    server.session.terminate("SHUTDOWN", "again");
    await settle();
    expect(server.ends).toEqual([{ by: "local", code: "KICKED", message: "out" }]);
    expect(client.ends).toMatchObject([{ code: "KICKED" }]);
  });

  test("after goAway() reaches the other side as the word of this one, and not as a violation", async () => {
    const { client, server } = sessionPair();
    await client.open(); // keeps the session from closing
    server.session.goAway("SHUTDOWN", "stopping", 5_000);
    await settle();
    server.session.terminate("KICKED", "out");
    await client.session.closed;
    expect(client.ends).toMatchObject([{ by: "remote" }]);
    expect(["SHUTDOWN", "KICKED"]).toContain(client.ends[0]?.code as string);
  });

  test("ping() under way is rejected as LOST", async () => {
    const { client, server } = sessionPair();
    const ping = watch(client.session.ping());
    server.session.terminate("KICKED", "out");
    await settle();
    expect(codeOf(ping)).toBe("LOST");
  });

  test("ping() afterwards is rejected as LOST", async () => {
    const { client } = sessionPair();
    client.session.terminate("OK", "exit");
    await client.session.closed;
    const ping = watch(client.session.ping());
    await settle();
    expect(codeOf(ping)).toBe("LOST");
  });
});

describe("Session: heartbeat", () => {
  test("keeps an idle session alive from both sides", async () => {
    const { client, server, clock } = sessionPair();
    await clock.advance(100 * HEARTBEAT_MS);
    expect([client.ends, server.ends]).toEqual([[], []]);
    expect(client.session.bytesIn).toBeGreaterThan(0);
  });

  test("ping() resolves with the round-trip time", async () => {
    const { client } = sessionPair();
    expect(await client.session.ping()).toBe(0);
  });
});
