import { describe, expect, test } from "bun:test";
import { FakeClock } from "../support/fake-clock.ts";
import { codeOf, faultOf } from "../support/fault.ts";
import { frame } from "../support/frames.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const PING = frame("PING", Buffer.alloc(8));

/** No timer of the server runs out: what is answered is answered at once. */
describe("a message to a client that can't take it", () => {
  test("is NOT_DELIVERED at once when the client does not read", async () => {
    await using server = new TestServer({ clock: new FakeClock() });
    await using deaf = await RawPeer.admitted(server.listen());
    const [member] = server.server.members.clients;
    deaf.pause();
    let asked = 0;
    await until(async () => {
      if (member?.session.congested) return true;
      deaf.send(Buffer.alloc(1_000 * PING.length, PING));
      asked += 1_000 * PING.length;
      await until(() => (member?.bytesIn ?? 0) >= asked || member?.session.congested);
      return false;
    });
    const sender = await server.client();
    const { code, message } = await faultOf(() => sender.send("hi", "Client01"));
    expect(code).toBe("NOT_DELIVERED");
    expect(message).toContain("It does not read what it is sent.");
    expect((await sender.send("hi", "all")).failed.map(({ name }) => name)).toEqual(["Client01"]);
    // It is not even tried.
    expect(member?.session.canOpen).toBe(true);
  });

  test("is NOT_DELIVERED at once when it acknowledges none of as many as it takes together", async () => {
    await using server = new TestServer({ clock: new FakeClock() });
    const port = server.listen();
    await using mute = await RawPeer.admitted(port, { maxStreams: 2 });
    const sender = await server.client();
    const tried = [1, 2].map((number) => sender.send(`${number}`, "Client01"));
    await until(() => mute.frames.filter(({ name }) => name === "OPEN").length === 2);
    const { code, message } = await faultOf(() => sender.send("3", "Client01"));
    expect(code).toBe("NOT_DELIVERED");
    expect(message).toContain("It does not acknowledge what it is sent.");
    for (const { name, stream } of mute.frames) if (name === "OPEN") mute.send(frame("ACCEPT", {}, stream, 1));
    expect((await Promise.all(tried)).map(({ delivered }) => delivered)).toEqual([["Client01"], ["Client01"]]);
  });

  test("is NOT_DELIVERED when the client has not acknowledged it for 10 seconds, and not before; the client may forget it", async () => {
    const clock = new FakeClock();
    await using server = new TestServer({ clock });
    await using mute = await RawPeer.admitted(server.listen(), { maxStreams: 2 });
    const sender = await server.client();
    const outcomes: string[] = [];
    const send = () => faultOf(() => sender.send("hi", "Client01")).then(({ message }) => outcomes.push(message));
    const first = send();
    await until(() => mute.frames.some(({ name }) => name === "OPEN"));
    await clock.advance(9_999);
    const second = send();
    await until(() => mute.frames.filter(({ name }) => name === "OPEN").length === 2);
    await clock.advance(1);
    await first;
    expect(outcomes).toEqual([expect.stringContaining("It did not acknowledge within 10 s.")]);
    expect((await mute.next("RESET")).stream).toBe(2);
    await clock.advance(9_999);
    await second;
    expect(outcomes).toHaveLength(2);
  });

  test("is TOO_OFTEN while 256 KiB of text of one session wait to be acknowledged, and no other session's", async () => {
    await using server = new TestServer({ clock: new FakeClock(), maxClients: 3 });
    await using mute = await RawPeer.admitted(server.listen(), { credit: 1_048_576, maxStreams: 128 });
    const [sender, other] = [await server.client({ attempts: 0 }), await server.client({ attempts: 0 })];
    const text = "x".repeat(8 * 1024);
    const opened = () => mute.frames.filter(({ name }) => name === "OPEN");
    const tried = Array.from({ length: 32 }, () => sender.send(text, "Client01"));
    await until(() => opened().length === 32);
    expect(await codeOf(() => sender.send("x", "Client01"))).toBe("TOO_OFTEN");
    tried.push(other.send("x", "Client01"));
    await until(() => opened().length === 33);
    // What is acknowledged makes room.
    for (const { stream } of opened().splice(0, 1)) mute.send(frame("ACCEPT", {}, stream, 1));
    await tried[0];
    tried.push(sender.send("x", "Client01"));
    await until(() => opened().length === 34);
    for (const { stream } of opened().slice(1)) mute.send(frame("ACCEPT", {}, stream, 1));
    for (const { delivered } of await Promise.all(tried)) expect(delivered).toEqual(["Client01"]);
  });
});
