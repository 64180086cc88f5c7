import { describe, expect, test } from "bun:test";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { connect } from "../../lib/transport/socket.ts";
import { AccessServer, challengeOf, prove, WRONG_SECRET } from "../support/access-server.ts";
import { frame, HELLO } from "../support/frames.ts";
import { TransportRecorder } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const HERE = "198.51.100.7:1";

/** The code of what comes of a wrong proof. */
async function fail(server: AccessServer, from = HERE, name = "laptop"): Promise<string> {
  return server.client({ name, secret: WRONG_SECRET }, { from }).then(
    () => "in",
    ({ code }) => code,
  );
}

async function failTimes(server: AccessServer, count: number, from = HERE): Promise<string[]> {
  const codes: string[] = [];
  for (let round = 0; round < count; round++) codes.push(await fail(server, from));
  return codes;
}

const denied = (count: number) => Array<string>(count).fill("ACCESS_DENIED");

describe("an address whose proofs fail", () => {
  test("is heard ten times, then not, whatever name it says", async () => {
    await using server = new AccessServer();
    server.issue("laptop");
    expect(await failTimes(server, 10)).toEqual(denied(10));
    expect(await fail(server)).toBe("THROTTLED");
    expect(await fail(server, HERE, "phone")).toBe("THROTTLED");
    expect(server.refusals.at(-1)).toMatchObject({ code: "THROTTLED", message: "Too many proofs failed." });
  });

  test("is heard once more every 5 seconds", async () => {
    await using server = new AccessServer();
    await failTimes(server, 11);
    await server.clock.advance(4_999);
    expect(await fail(server)).toBe("THROTTLED");
    await server.clock.advance(1);
    expect(await failTimes(server, 2)).toEqual(["ACCESS_DENIED", "THROTTLED"]);
    await server.clock.advance(5_000);
    expect(await failTimes(server, 2)).toEqual(["ACCESS_DENIED", "THROTTLED"]);
  });

  test("has its ten again after a rest", async () => {
    await using server = new AccessServer();
    await failTimes(server, 11);
    await server.clock.advance(60_000);
    expect(await failTimes(server, 11)).toEqual([...denied(10), "THROTTLED"]);
  });

  test("is not heard with a right token either, and is when it may again", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    await failTimes(server, 11);
    await expect(server.client(token, { from: HERE })).rejects.toMatchObject({ code: "THROTTLED" });
    await server.clock.advance(5_000);
    expect((await server.client(token, { from: HERE })).role).toBe("read");
  });

  test("by another port is the same address", async () => {
    await using server = new AccessServer();
    for (let port = 1; port <= 10; port++) expect(await fail(server, `198.51.100.7:${port}`)).toBe("ACCESS_DENIED");
    expect(await fail(server, "198.51.100.7:99")).toBe("THROTTLED");
  });

  test("by another of its /64 is the same address, and the next /64 is not", async () => {
    await using server = new AccessServer();
    for (let host = 1; host <= 10; host++) {
      expect(await fail(server, `[2001:db8:0:1::${host.toString(16)}]:1`)).toBe("ACCESS_DENIED");
    }
    expect(await fail(server, "[2001:db8:0:1:ffff::1]:1")).toBe("THROTTLED");
    expect(await fail(server, "[2001:db8:0:2::1]:1")).toBe("ACCESS_DENIED");
  });

  test("holds up nobody else, with or without a right token", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    await failTimes(server, 20);
    expect((await server.client(token, { from: "198.51.100.8:1" })).role).toBe("read");
    expect(await fail(server, "198.51.100.8:1")).toBe("ACCESS_DENIED");
  });
});

describe("what counts as a failure", () => {
  test("right tokens do not, however many", async () => {
    await using server = new AccessServer({ maxClients: 100 });
    const token = server.issue("laptop");
    for (let round = 0; round < 25; round++) await server.client(token, { from: HERE });
    expect(await failTimes(server, 11)).toEqual([...denied(10), "THROTTLED"]);
  });

  test("a proof that was not given does not, and coming without a token does not", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    for (let round = 0; round < 20; round++) {
      const { peer } = await server.peer("memory", HERE);
      if (round % 2 === 0) await challengeOf(peer, new ScramClient(token, undefined));
      else await peer.send(frame("HELLO", HELLO));
      await peer.close();
    }
    expect((await server.client(token, { from: HERE })).role).toBe("read");
  });

  test("many proofs at once do: who has asked in time is judged, and pays for all of them", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const asked = [];
    for (let round = 0; round < 30; round++) {
      const { peer } = await server.peer("memory", HERE);
      const scram = new ScramClient({ ...token, secret: WRONG_SECRET }, undefined);
      asked.push({ peer, answer: scram.answer(await challengeOf(peer, scram)) });
    }
    for (const { peer, answer } of asked) await peer.send(frame("AUTH", { message: (await answer).message }));
    await server.clock.advance(100_000);
    expect(await fail(server)).toBe("THROTTLED");
    await server.clock.advance(5_000);
    expect(await fail(server)).toBe("ACCESS_DENIED");
  });
});

describe("the time for the handshake", () => {
  test.each([
    ["before HELLO", undefined],
    ["with the proof", "proof"],
  ])("covers who falls silent %s", async (_, at) => {
    await using server = new AccessServer();
    const { peer } = await server.peer();
    if (at !== undefined) await challengeOf(peer, new ScramClient(server.issue("laptop"), undefined));
    await server.clock.advance(9_999);
    expect(peer.last("REFUSE")).toBeUndefined();
    await server.clock.advance(1);
    expect(peer.last("REFUSE")?.json.code).toBe(10);
    expect(server.refusals).toMatchObject([{ code: "HANDSHAKE_TIMEOUT" }]);
  });

  test("covers the handshake of TLS, which somebody begins and never ends", async () => {
    await using server = new AccessServer();
    const silent = await connect(await server.listen("tls"), { timeoutMs: 5_000 });
    const client = new TransportRecorder(silent).start();
    await until(() => server.accepted === 1);
    await server.clock.advance(9_999);
    expect(server.refusals).toEqual([]);
    await server.clock.advance(1);
    expect(server.refusals).toMatchObject([{ code: "HANDSHAKE_TIMEOUT" }]);
    await client.closed();
    expect(client.byteCount).toBe(0);
  });

  test("is one time for all of it: the proof does not begin another", async () => {
    await using server = new AccessServer();
    const scram = new ScramClient(server.issue("laptop"), undefined);
    const { peer } = await server.peer();
    await server.clock.advance(9_000);
    const { message } = await scram.answer(await challengeOf(peer, scram));
    await server.clock.advance(1_000);
    await peer.send(frame("AUTH", { message }));
    expect(peer.last("WELCOME")).toBeUndefined();
    expect(peer.last("REFUSE")?.json.code).toBe(10);
  });

  test("is over when the proof was good: who waits for a seat may wait", async () => {
    await using server = new AccessServer({ maxClients: 1 });
    const token = server.issue("laptop");
    const first = await server.client(token);
    const { peer } = await server.peer();
    expect((await prove(peer, new ScramClient(token, undefined), { wait: true })).name).toBe("QUEUED");
    await server.clock.advance(14_000);
    expect(peer.last("REFUSE")).toBeUndefined();
    await first.close();
    await server.clock.advance(0);
    expect(peer.last("WELCOME")).toBeDefined();
  });
});
