import { describe, expect, test } from "bun:test";
import { createVerifier } from "../../lib/server/access/verifier.ts";
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

describe("an address whose proofs are wrong", () => {
  test("gets ACCESS_DENIED ten times, then THROTTLED, whatever name it uses", async () => {
    await using server = new AccessServer();
    server.issue("laptop");
    expect(await failTimes(server, 10)).toEqual(denied(10));
    expect(await fail(server)).toBe("THROTTLED");
    expect(await fail(server, HERE, "phone")).toBe("THROTTLED");
    expect(server.refusals.at(-1)).toMatchObject({
      code: "THROTTLED",
      message: 'Token "phone": There is no such token.',
    });
  });

  test("gets ACCESS_DENIED once more every 5 seconds", async () => {
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

  test("that can't be read is one with all others that can't", async () => {
    await using server = new AccessServer();
    await failTimes(server, 10, "no address");
    expect(await fail(server, "nor is this")).toBe("THROTTLED");
    expect(await fail(server)).toBe("ACCESS_DENIED");
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

  test("learns nothing of names, neither by code nor by words", async () => {
    await using server = new AccessServer();
    server.issue("laptop");
    await failTimes(server, 20);
    const [known, unknown] = await Promise.all(
      ["laptop", "phone"].map(async (name) => {
        const attempt = server.client({ name, secret: WRONG_SECRET }, { from: HERE });
        const { code, message } = await attempt.then(
          () => ({ code: "in", message: "" }),
          (error) => error,
        );
        return { code, message };
      }),
    );
    expect(known).toEqual(unknown as typeof known);
    expect(known?.code).toBe("THROTTLED");
  });
});

describe("a right proof beside wrong ones", () => {
  test.each(["read", "write", "operator"] as const)("of the same address is let in each time, as %s", async (role) => {
    await using server = new AccessServer({ maxClients: 100 });
    const token = server.issue("laptop", role);
    for (let second = 0; second < 40; second++) {
      await failTimes(server, 5);
      expect((await server.client(token, { from: HERE })).role).toBe(role);
      await server.clock.advance(1_000);
    }
  });

  test("of this machine itself: neither an operator with a token nor the token of the run is kept out", async () => {
    const local = {
      name: "local",
      role: "write",
      createdAt: 0,
      expiresAt: null,
      verifier: createVerifier(WRONG_SECRET, Buffer.alloc(16)),
    } as const;
    await using server = new AccessServer({ local });
    const from = "127.0.0.1:1";
    const token = server.issue("console", "operator");
    await failTimes(server, 50, from);
    expect((await server.client(token, { from })).role).toBe("operator");
    expect((await server.client({ name: "local", secret: WRONG_SECRET }, { from })).role).toBe("write");
  });

  test("does not give the guesser its ten back", async () => {
    await using server = new AccessServer({ maxClients: 100 });
    const token = server.issue("laptop");
    await failTimes(server, 11);
    await server.client(token, { from: HERE });
    expect(await fail(server)).toBe("THROTTLED");
  });

  test("counts for nothing, however many there are", async () => {
    await using server = new AccessServer({ maxClients: 100 });
    const token = server.issue("laptop");
    for (let round = 0; round < 25; round++) await server.client(token, { from: HERE });
    expect(await failTimes(server, 11)).toEqual([...denied(10), "THROTTLED"]);
  });

  test("that were begun together is judged as they are, in any order", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const asked = [];
    for (let round = 0; round < 30; round++) {
      const { peer } = await server.peer("memory", HERE);
      const scram = new ScramClient({ ...token, secret: round === 29 ? token.secret : WRONG_SECRET }, undefined);
      asked.push({ peer, answer: scram.answer(await challengeOf(peer, scram)) });
    }
    for (const { peer, answer } of asked) await peer.send(frame("AUTH", { message: (await answer).message }));
    const codes = asked.map(({ peer }) => peer.last("REFUSE")?.json.code);
    expect(codes).toEqual([...Array(10).fill(17), ...Array(19).fill(18), undefined]);
    expect(asked.at(-1)?.peer.last("WELCOME")).toBeDefined();
  });
});

describe("the log of guesses", () => {
  test("has the first ten, and then a line every few seconds with how many there were", async () => {
    await using server = new AccessServer();
    for (let second = 0; second < 20; second++) {
      await failTimes(server, 20);
      await server.clock.advance(1_000);
    }
    await server.clock.advance(10_000);
    const counts = server.refusals.map((event) => ("count" in event ? (event.count ?? 1) : 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
    // Ten of each of the two codes, what comes back of them, and the sums.
    expect(counts.length).toBeLessThan(35);
    expect(new Set(server.refusals.map((event) => "code" in event && event.code))).toEqual(
      new Set(["ACCESS_DENIED", "THROTTLED"]),
    );
  });
});

describe("what counts as a wrong proof", () => {
  test("one that was not given does not, and coming without a token does not", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    for (let round = 0; round < 20; round++) {
      const { peer } = await server.peer("memory", HERE);
      if (round % 2 === 0) await challengeOf(peer, new ScramClient(token, undefined));
      else await peer.send(frame("HELLO", HELLO));
      await peer.close();
    }
    expect(await failTimes(server, 11)).toEqual([...denied(10), "THROTTLED"]);
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

  test("covers a TLS handshake that is begun and never ended", async () => {
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

  test("ends with a good proof: a client that waits for a seat may wait", async () => {
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
