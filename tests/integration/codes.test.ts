/** One-time codes at the server: whoever knows one is handed a token, once; whoever guesses ends it. */
import { describe, expect, test } from "bun:test";
import { Client } from "../../lib/client/client.ts";
import { Operator } from "../../lib/client/operator.ts";
import { CodeProver } from "../../lib/codes/code-prover.ts";
import { type CommError, toCommError } from "../../lib/errors.ts";
import { formatInvite } from "../../lib/protocol/invite.ts";
import type { Role } from "../../lib/protocol/messages.ts";
import { type OneTimeCode, parseCode } from "../../lib/protocol/one-time-code.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { MAX_BEGUN, MAX_CODES } from "../../lib/server/access/code-book.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { AccessServer, tells, WAYS, type Way } from "../support/access-server.ts";
import { frame, HELLO } from "../support/frames.ts";
import { MemoryPeer } from "../support/memory-peer.ts";
import { until } from "../support/until.ts";

const ADDRESSES = ["192.0.2.1:5050", "[2001:db8::1]:5050"];
const invite = (token: Token, addresses: readonly string[] = ADDRESSES) =>
  formatInvite({ label: "lab", addresses, identity: null, token });

async function codeServer(options: ConstructorParameters<typeof AccessServer>[0] = {}): Promise<AccessServer> {
  return new AccessServer({ invite, ...options });
}

async function issue(
  server: AccessServer,
  name = "laptop",
  lifeMs?: number,
  role: Role = "write",
): Promise<OneTimeCode> {
  const operator = await server.operator();
  const { code } = await operator.issueCode({ name, role, ...(lifeMs !== undefined && { lifeMs }) });
  await operator.client.close();
  return parseCode(code);
}

const wrongOf = ({ plate, secret }: OneTimeCode): OneTimeCode => ({
  plate,
  secret: String((Number(secret) + 1) % 1_000_000).padStart(6, "0"),
});

const CLIENT = { clock: systemClock, agent: "test-client", wait: false, timeoutMs: 5_000 };
const HERE = "198.51.100.7:1";
const OFFERED = { onOffered: async () => {} };

/** Prove the code by the client's own handshake. */
async function redeem(
  server: AccessServer,
  code: OneTimeCode,
  { way = "memory", from = HERE }: { way?: Way; from?: string } = {},
): Promise<{ client: Client; prover: CodeProver }> {
  const transport = await server.transport(way, from);
  const prover = new CodeProver(code, { binding: transport.channelBinding, ...OFFERED });
  return { client: await Client.connect({ transport, prover, ...CLIENT }), prover };
}

const faultOf = (attempt: Promise<unknown>): Promise<CommError> =>
  attempt.then(
    () => Promise.reject(new Error("it worked")),
    (thrown) => toCommError(thrown),
  );

/** Send the first message of a proof by hand. */
async function begin(server: AccessServer, first: string, from = HERE): Promise<MemoryPeer> {
  const { peer } = await server.peer("memory", from);
  await peer.send(helloWith(first));
  return peer;
}

const helloWith = (message: string) =>
  frame("HELLO", { ...HELLO, auth: { mechanism: "CPACE-RISTR255-SHA512", message } });

const proverOf = (code: OneTimeCode) => new CodeProver(code, { binding: undefined, ...OFFERED });

describe.each(WAYS)("a code, over %s,", (way) => {
  test("admits its client with a new token, and hands over the invite that holds it", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    expect(server.tokens.list()).toEqual([]);
    const { client, prover } = await redeem(server, code, { way });
    expect(client).toMatchObject({ role: "write", token: "laptop" });
    expect(prover.invite).toMatchObject({ label: "lab", addresses: ADDRESSES, token: { name: "laptop" } });
    const again = await server.client(prover.invite?.token, { way });
    expect(again.role).toBe("write");
    await Promise.all([client.close(), again.close()]);
  });

  test("that is wrong is refused, and ends the code", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    expect(await faultOf(redeem(server, wrongOf(code), { way }))).toMatchObject({ code: "ACCESS_DENIED" });
    expect(await faultOf(redeem(server, code, { way }))).toMatchObject({ code: "NO_SUCH_CODE" });
    expect(server.tokens.list()).toEqual([]);
  });
});

describe("a code", () => {
  test("works once", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    await (await redeem(server, code)).client.close();
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
  });

  test("is ended by a wrong guess from any address", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    await faultOf(redeem(server, wrongOf(code), { from: "203.0.113.9:1" }));
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
    expect(server.refusals[0]).toMatchObject({
      code: "ACCESS_DENIED",
      message: `Code ${code.plate}-…, for "laptop": It was tried wrongly, and has ended.`,
    });
  });

  test("expires", async () => {
    await using server = await codeServer();
    const code = await issue(server, "laptop", 60_000);
    await server.clock.advance(60_000);
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
  });

  test("lives 10 minutes if nothing else is said", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    await server.clock.advance(600_000 - 1);
    await (await redeem(server, code)).client.close();
  });

  test("expires between the two messages of a client", async () => {
    await using server = await codeServer();
    const prover = proverOf(await issue(server));
    const peer = await begin(server, prover.first);
    const { message } = await prover.answer(peer.last("AUTH")?.json.message);
    server.clock.stall(600_000);
    await peer.send(frame("AUTH", { message }));
    expect(peer.last("REFUSE")?.json.code).toBe(21);
    expect(server.tokens.list()).toEqual([]);
  });

  test("is unknown after the server was started again", async () => {
    await using before = await codeServer();
    const code = await issue(before);
    await using server = await codeServer();
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
  });

  test("ends with a newer one for the same name, and with the token of that name", async () => {
    await using server = await codeServer();
    const first = await issue(server);
    const second = await issue(server);
    if (first.plate !== second.plate) {
      expect(await faultOf(redeem(server, first))).toMatchObject({ code: "NO_SUCH_CODE" });
    }
    const operator = await server.operator();
    await operator.revokeToken("laptop");
    expect(await faultOf(redeem(server, second))).toMatchObject({ code: "NO_SUCH_CODE" });
    await expect(operator.revokeToken("laptop")).rejects.toMatchObject({ code: "NO_SUCH_TOKEN" });
  });

  test("is for a name that no token has, and that can name one", async () => {
    await using server = await codeServer();
    server.issue("laptop");
    const operator = await server.operator();
    await expect(operator.issueCode({ name: "laptop", role: "read" })).rejects.toMatchObject({ code: "TOKEN_EXISTS" });
    await expect(operator.issueCode({ name: "a b", role: "read" })).rejects.toMatchObject({ code: "BAD_PARAMS" });
    await expect(operator.issueCode({ name: "b", role: "read", lifeMs: 59_999 })).rejects.toMatchObject({
      code: "BAD_PARAMS",
    });
  });

  test("whose token can't be made is over, and its client gets no detail", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    server.issue("laptop");
    const fault = await faultOf(redeem(server, code));
    expect(fault).toMatchObject({ code: "UNAVAILABLE" });
    expect(fault.message).not.toContain("laptop");
    expect(server.refusals.at(-1)).toMatchObject({
      message: expect.stringContaining('There is a token "laptop" already.'),
    });
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
  });

  test("hands over its token although every seat is taken", async () => {
    await using server = await codeServer({ maxClients: 1 });
    const code = await issue(server);
    const other = await server.client(server.issue("other"));
    const transport = await server.transport();
    const prover = new CodeProver(code, { binding: undefined, ...OFFERED });
    const fault = await faultOf(Client.connect({ transport, prover, ...CLIENT }));
    expect(fault).toMatchObject({ code: "SERVER_FULL" });
    expect(prover.invite?.token.name).toBe("laptop");
    await other.close();
  });

  test("of a role and a time gives that role until then", async () => {
    await using server = await codeServer();
    const operator = await server.operator();
    const expiresAt = server.clock.wallTime() + 120_000;
    const made = await operator.issueCode({ name: "laptop", role: "read", expiresAt });
    expect(made).toMatchObject({ address: "server.test:5050", isPlaintext: false, isAnnounced: false });
    const { client } = await redeem(server, parseCode(made.code));
    expect(server.tokens.find("laptop")).toMatchObject({ role: "read", expiresAt });
    await server.clock.advance(120_000);
    expect(await client.ended).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("with more addresses than fit is handed over with as many as do", async () => {
    await using server = await codeServer();
    const operator = await server.operator();
    const addresses = Array.from({ length: 16 }, (_, index) => `${"a".repeat(250)}${index}:5050`);
    const { code } = await operator.issueCode({ name: "laptop", role: "read", addresses });
    const { client, prover } = await redeem(server, parseCode(code));
    const count = prover.invite?.addresses.length ?? 0;
    expect(prover.invite?.addresses).toEqual(addresses.slice(0, count));
    expect(count).toBeGreaterThan(2);
    await client.close();
  });

  test("is in no event, and neither are the tokens that it gives", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const { client, prover } = await redeem(server, code);
    await faultOf(redeem(server, wrongOf(await issue(server, "phone"))));
    expect(tells(server, code.secret)).toBe(false);
    expect(tells(server, prover.invite?.token.secret ?? "")).toBe(false);
    expect(server.events.map(({ event }) => event)).toContain("offered");
    await client.close();
  });

  test("and its token are in nothing that crosses the wire without encryption", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const prover = proverOf(code);
    const peer = await begin(server, prover.first);
    const { message, check } = await prover.answer(peer.last("AUTH")?.json.message);
    await peer.send(frame("AUTH", { message }));
    check(peer.last("AUTH")?.json.message);
    const wire = [prover.first, message, ...peer.frames.map(({ payload }) => payload.toString())].join();
    expect(peer.names).toEqual(["AUTH", "AUTH", "WELCOME"]);
    for (const secret of [code.secret, prover.invite?.token.secret ?? "?", "csinvite1"])
      expect(wire).not.toContain(secret);
  });

  test(`is one of at most ${MAX_CODES}`, async () => {
    await using server = await codeServer();
    const operator = await server.operator();
    const made = new Set<string>();
    for (let count = 0; count < MAX_CODES; count++) {
      made.add(parseCode((await operator.issueCode({ name: `n${count}`, role: "read" })).code).plate);
    }
    expect(made.size).toBe(MAX_CODES);
    await expect(operator.issueCode({ name: "more", role: "read" })).rejects.toMatchObject({ code: "OVERLOADED" });
    await server.clock.advance(600_000);
    await operator.issueCode({ name: "more", role: "read" });
  });

  test("is made by operators alone", async () => {
    await using server = await codeServer();
    const client = await server.client(server.issue("writer", "write"));
    await expect(new Operator(client).issueCode({ name: "b", role: "read" })).rejects.toMatchObject({
      code: "NOT_ALLOWED",
    });
    await client.close();
  });
});

describe("an attacker", () => {
  test("who begins many proofs at once has one guess", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const guesses = await Promise.all(
      [1, 2, 3, 4, 5].map(async (by) => {
        const secret = String((Number(code.secret) + by) % 1_000_000).padStart(6, "0");
        const prover = proverOf({ ...code, secret });
        return { prover, peer: await begin(server, prover.first, `203.0.113.${by}:1`) };
      }),
    );
    const right = proverOf(code);
    const holder = await begin(server, right.first);
    for (const { prover, peer } of guesses) {
      const { message } = await prover.answer(peer.last("AUTH")?.json.message);
      await peer.send(frame("AUTH", { message }));
    }
    expect(guesses.map(({ peer }) => peer.last("REFUSE")?.json.code)).toEqual([17, 21, 21, 21, 21]);
    const { message } = await right.answer(holder.last("AUTH")?.json.message);
    await holder.send(frame("AUTH", { message }));
    expect(holder.last("REFUSE")?.json.code).toBe(21);
    expect(server.tokens.list()).toEqual([]);
  });

  test("who leaves before the proof learns nothing, and costs no code", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const prover = proverOf(wrongOf(code));
    const peer = await begin(server, prover.first);
    expect(peer.last("AUTH")?.json.message).toMatch(/^y=[A-Za-z0-9+/]{43}=$/);
    await peer.close();
    await (await redeem(server, code)).client.close();
  });

  test(`who leaves ${MAX_BEGUN} times ends the code`, async () => {
    await using server = await codeServer();
    const code = await issue(server);
    for (let round = 0; round < MAX_BEGUN; round++) {
      const peer = await begin(server, proverOf(code).first, `203.0.113.${round}:1`);
      expect(peer.last("AUTH")).toBeDefined();
      await peer.close();
    }
    expect(await faultOf(redeem(server, code))).toMatchObject({ code: "NO_SUCH_CODE" });
  });

  test("who replays the messages of another client is refused, and the code has ended", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const prover = proverOf(code);
    const victim = await begin(server, prover.first);
    const { message } = await prover.answer(victim.last("AUTH")?.json.message);
    const replayed = await begin(server, prover.first, "203.0.113.9:1");
    await replayed.send(frame("AUTH", { message }));
    expect(replayed.last("REFUSE")?.json.code).toBe(17);
    await victim.send(frame("AUTH", { message }));
    expect(victim.last("REFUSE")?.json.code).toBe(21);
  });

  test("who sends the server's own share and tag back is refused", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const first = await begin(server, proverOf(code).first);
    const share = first.last("AUTH")?.json.message;
    const reflected = await begin(server, `n=${code.plate},${share}`, "203.0.113.9:1");
    await reflected.send(frame("AUTH", { message: `t=${Buffer.alloc(64).toString("base64")}` }));
    expect(reflected.last("REFUSE")?.json.code).toBe(17);
    expect(server.tokens.list()).toEqual([]);
  });

  test("in the middle of two channels of TLS passes a proof on in vain", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const [victim, relay] = [await server.transport("tls"), await server.peer("tls")];
    const prover = new CodeProver(code, { binding: victim.channelBinding, ...OFFERED });
    await relay.peer.send(helloWith(prover.first));
    const challenge = await until(() => relay.peer.last("AUTH"));
    const { message } = await prover.answer(challenge.json.message);
    await relay.peer.send(frame("AUTH", { message }));
    expect((await until(() => relay.peer.last("REFUSE"))).json.code).toBe(17);
    expect(server.tokens.list()).toEqual([]);
    victim.abort();
  });

  test("who tries many plates is not heard after ten, and the codes live on", async () => {
    await using server = await codeServer();
    const code = await issue(server);
    const others = Array.from({ length: 11 }, (_, index) => String(index).padStart(3, "0")).filter(
      (plate) => plate !== code.plate,
    );
    const from = "203.0.113.9:1";
    for (const plate of others.slice(0, 10)) {
      expect(await faultOf(redeem(server, { ...code, plate }, { from }))).toMatchObject({ code: "NO_SUCH_CODE" });
    }
    expect(await faultOf(redeem(server, wrongOf(code), { from }))).toMatchObject({ code: "THROTTLED" });
    await (await redeem(server, code)).client.close();
  });

  test("is heard again after 5 seconds, once", async () => {
    await using server = await codeServer();
    for (let round = 0; round < 11; round++) await faultOf(redeem(server, { plate: "000", secret: "000000" }));
    await server.clock.advance(5_000);
    const unknown = { plate: "000", secret: "000000" };
    expect((await faultOf(redeem(server, unknown))).code).toBe("NO_SUCH_CODE");
    expect((await faultOf(redeem(server, unknown))).code).toBe("THROTTLED");
  });
});

describe("a malformed message is BAD_PAYLOAD, and costs no code:", () => {
  const share = Buffer.from(proverOf({ plate: "000", secret: "000000" }).first.split("y=")[1] ?? "", "base64");
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  test.each<[string, (plate: string) => string]>([
    ["nothing", () => ""],
    ["no share", (plate) => `n=${plate}`],
    ["no plate", () => `y=${text(share)}`],
    ["a plate of two digits", () => `n=12,y=${text(share)}`],
    ["a plate of letters", () => `n=abc,y=${text(share)}`],
    ["a plate of other digits", () => `n=٣٨٥,y=${text(share)}`],
    ["a share of 31 bytes", (plate) => `n=${plate},y=${text(share.subarray(1))}`],
    ["a share of 33 bytes", (plate) => `n=${plate},y=${text(Buffer.concat([share, Buffer.alloc(1)]))}`],
    ["the neutral element", (plate) => `n=${plate},y=${text(Buffer.alloc(32))}`],
    ["no element of the group", (plate) => `n=${plate},y=${text(Buffer.alloc(32, 255))}`],
    ["something after it", (plate) => `n=${plate},y=${text(share)},z=1`],
    ["a message of SCRAM", () => "n,,n=laptop,r=abcdefghijklmnopqrstuvwx"],
  ])("%s", async (_, make) => {
    await using server = await codeServer();
    const code = await issue(server);
    const peer = await begin(server, make(code.plate));
    expect(peer.last("REFUSE")?.json.code).toBe(7);
    await (await redeem(server, code)).client.close();
  });

  test.each([
    ["nothing", ""],
    ["a short tag", `t=${Buffer.alloc(32).toString("base64")}`],
    ["a long message", `t=${"A".repeat(3_071)}`],
  ])("%s in place of the tag", async (_, message) => {
    await using server = await codeServer();
    const code = await issue(server);
    const peer = await begin(server, proverOf(code).first);
    await peer.send(frame("AUTH", { message }));
    expect(peer.last("REFUSE")?.json.code).toBe(7);
    await (await redeem(server, code)).client.close();
  });
});

describe("a false server", () => {
  /** A handshake with a server that answers the first AUTH as given. */
  async function against(challenge: (first: string) => string, answer: (code: OneTimeCode) => string) {
    const [ours, theirs] = memoryPair({ a: "server", b: "client" });
    const peer = new MemoryPeer(theirs);
    const code = { plate: "385", secret: "061772" };
    const prover = proverOf(code);
    const connected = faultOf(Client.connect({ transport: ours, prover, ...CLIENT }));
    const hello = await until(() => peer.last("HELLO"));
    await peer.send(frame("AUTH", { message: challenge(hello.json.auth.message) }));
    const outcome = await Promise.race([until(() => peer.last("AUTH")), connected]);
    if (!(outcome instanceof Error)) await peer.send(frame("AUTH", { message: answer(code) }));
    return { fault: await connected, prover };
  }
  const own = () => proverOf({ plate: "385", secret: "000000" }).first.replace(/^n=\d+,/, "");
  const anyTag = () => `t=${Buffer.alloc(64).toString("base64")},i=${Buffer.alloc(64).toString("base64")}`;

  test("that does not know the code hands over nothing", async () => {
    const { fault, prover } = await against(own, anyTag);
    expect(fault.code).toBe("WRONG_IDENTITY");
    expect(prover.invite).toBeUndefined();
  });

  test("that sends the client's own share back is found out", async () => {
    const { fault } = await against((first) => first.replace(/^n=\d+,/, ""), anyTag);
    expect(fault.code).toBe("WRONG_IDENTITY");
  });

  test.each([
    ["the neutral element", `y=${Buffer.alloc(32).toString("base64")}`],
    ["no element", `y=${Buffer.alloc(32, 255).toString("base64")}`],
    ["nothing", ""],
    ["a challenge of SCRAM", "r=abc,s=AAAA,i=4096"],
  ])("that sends %s gets no proof", async (_, challenge) => {
    const { fault } = await against(() => challenge, anyTag);
    expect(fault.code).toBe("BAD_PAYLOAD");
  });

  test("that welcomes at once is not believed", async () => {
    const [ours, theirs] = memoryPair({ a: "server", b: "client" });
    const peer = new MemoryPeer(theirs);
    const prover = proverOf({ plate: "385", secret: "061772" });
    const connected = faultOf(Client.connect({ transport: ours, prover, ...CLIENT }));
    await until(() => peer.last("HELLO"));
    const welcome = { version: 1, name: "Client01", role: "write", agent: "x", credit: 1, maxStreams: 1 };
    await peer.send(frame("WELCOME", welcome));
    expect((await connected).code).toBe("WRONG_IDENTITY");
  });
});
