import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { RemoteError } from "../../lib/errors.ts";
import { ScramClient } from "../../lib/session/scram-client.ts";
import { AccessServer, challengeOf, prove, tells, WAYS, WRONG_SECRET } from "../support/access-server.ts";
import { frame, HELLO } from "../support/frames.ts";
import { until } from "../support/until.ts";

async function errorOf(attempt: Promise<Client>): Promise<RemoteError> {
  const thrown = await attempt.then(
    () => undefined,
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(RemoteError);
  return thrown;
}

describe.each(WAYS)("over %s", (way) => {
  test.each(["read", "write", "operator"] as const)("a right token comes in with its role %s", async (role) => {
    await using server = new AccessServer();
    const token = server.issue("laptop", role);
    const client = await server.client(token, { way });
    expect(client.role).toBe(role);
    expect((await client.status()).self.role).toBe(role);
    expect(server.events.find(({ event }) => event === "joined")).toMatchObject({ role, token: "laptop" });
    expect(tells(server, token.secret)).toBe(false);
  });

  test("a wrong secret and an unknown name look the same from outside, and not in the log", async () => {
    await using server = new AccessServer();
    server.issue("laptop");
    const wrong = await errorOf(server.client({ name: "laptop", secret: WRONG_SECRET }, { way }));
    const unknown = await errorOf(server.client({ name: "phone", secret: WRONG_SECRET }, { way }));
    expect(wrong).toMatchObject({ code: "ACCESS_DENIED", message: "The token is wrong, or was revoked." });
    expect({ code: unknown.code, message: unknown.message }).toEqual({ code: wrong.code, message: wrong.message });
    await until(() => server.refusals.length === 2);
    expect(server.refusals).toMatchObject([
      { code: "ACCESS_DENIED", message: 'Token "laptop": The proof is wrong.' },
      { code: "ACCESS_DENIED", message: 'Token "phone": There is no such token.' },
    ]);
    expect(tells(server, WRONG_SECRET)).toBe(false);
    expect(server.server.seats.taken).toBe(0);
  });

  test("a revoked token is as one that never was", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    server.tokens.revoke("laptop");
    const error = await errorOf(server.client(token, { way }));
    expect(error).toMatchObject({ code: "ACCESS_DENIED", message: "The token is wrong, or was revoked." });
  });

  test("only a client that has proven the token learns that it has expired", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop", "read", server.clock.wallTime() + 1_000);
    const client = await server.client(token, { way });
    await client.close();
    await server.clock.advance(1_000);
    const error = await errorOf(server.client(token, { way }));
    expect(error).toMatchObject({ code: "ACCESS_DENIED", message: 'The token "laptop" has expired.' });
    const wrong = await errorOf(server.client({ ...token, secret: WRONG_SECRET }, { way }));
    expect(wrong.message).toBe("The token is wrong, or was revoked.");
  });

  test("without a token: TOKEN_REQUIRED", async () => {
    await using server = new AccessServer();
    expect(await errorOf(server.client(undefined, { way }))).toMatchObject({ code: "TOKEN_REQUIRED" });
    await until(() => server.refusals.length === 1);
    expect(server.refusals).toMatchObject([{ code: "TOKEN_REQUIRED", message: "It came without a token." }]);
  });
});

describe("what is bound to the channel", () => {
  const bindings: [string, (binding: Uint8Array) => Uint8Array | undefined][] = [
    ["bound to nothing", () => undefined],
    ["bound to another channel", (binding) => binding.map((byte) => byte ^ 1)],
    ["bound to a part of it", (binding) => binding.subarray(0, 31)],
  ];
  test.each(bindings)("over TLS a proof %s is refused, the secret being right", async (_, make) => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const { peer, transport } = await server.peer("tls");
    const scram = new ScramClient(token, make(transport.channelBinding as Uint8Array));
    const refused = await prove(peer, scram).catch(() => peer.last("REFUSE"));
    expect(refused?.json.code).toBe(17);
    expect(server.events.map(({ event }) => event)).toEqual(["refused"]);
  });

  test("without TLS a proof that claims a channel is refused", async () => {
    await using server = new AccessServer();
    const { peer } = await server.peer("tcp");
    await prove(peer, new ScramClient(server.issue("laptop"), new Uint8Array(32))).catch(() => {});
    expect(peer.last("REFUSE")?.json.code).toBe(17);
  });

  test("the mechanism must be the one of the message", async () => {
    await using server = new AccessServer();
    const { peer } = await server.peer();
    const { first } = new ScramClient(server.issue("laptop"), undefined);
    await peer.send(frame("HELLO", { ...HELLO, auth: { mechanism: "SCRAM-SHA-256-PLUS", message: first } }));
    expect(peer.last("REFUSE")?.json.code).toBe(17);
  });

  test("what stands in the middle learns nothing that lets it in: a proof passed on is refused", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const [victim, relay] = [await server.transport("tls"), await server.peer("tls")];
    const scram = new ScramClient(token, victim.channelBinding);
    const refused = await prove(relay.peer, scram);
    expect(refused).toMatchObject({
      name: "REFUSE",
      json: { code: 17, message: "The token is wrong, or was revoked." },
    });
    expect(server.refusals.at(-1)).toMatchObject({ message: expect.stringContaining("another channel") });
    victim.abort();
  });
});

describe("the exchange", () => {
  test("has another challenge each time, that goes on from the client's nonce", async () => {
    await using server = new AccessServer();
    const token = server.issue("laptop");
    const challenges: string[] = [];
    for (let round = 0; round < 3; round++) {
      const { peer } = await server.peer();
      challenges.push(await challengeOf(peer, new ScramClient(token, undefined, "0123456789abcdefghij")));
    }
    const nonces = challenges.map((text) => /^r=([^,]+),/.exec(text)?.[1] as string);
    expect(new Set(nonces).size).toBe(3);
    for (const nonce of nonces) {
      expect(nonce).toStartWith("0123456789abcdefghij");
      expect(nonce.length - 20).toBeGreaterThanOrEqual(18);
    }
  });

  test("asks for an unknown name with the same salt each time, another at another server", async () => {
    const salts = async (server: AccessServer) => {
      const challenges: string[] = [];
      for (const name of ["phone", "phone", "tablet"]) {
        const { peer } = await server.peer();
        challenges.push(await challengeOf(peer, new ScramClient({ name, secret: WRONG_SECRET }, undefined)));
      }
      return challenges.map((text) => /,s=([^,]+),i=4096$/.exec(text)?.[1] as string);
    };
    await using server = new AccessServer();
    await using other = new AccessServer();
    const [first, second, third] = await salts(server);
    expect(second).toBe(first as string);
    expect(third).not.toBe(first as string);
    expect((await salts(other))[0]).not.toBe(first as string);
    const { peer } = await server.peer();
    const known = await challengeOf(peer, new ScramClient(server.issue("laptop"), undefined));
    expect(/,s=([^,]+),/.exec(known)?.[1]?.length).toBe(first?.length);
  });

  test("a proof is of one exchange: the same bytes again are refused", async () => {
    await using server = new AccessServer();
    const scram = new ScramClient(server.issue("laptop"), undefined);
    const { peer } = await server.peer();
    const { message } = await scram.answer(await challengeOf(peer, scram));
    await peer.send(frame("AUTH", { message }));
    expect(peer.last("WELCOME")).toBeDefined();
    const { peer: again } = await server.peer();
    await challengeOf(again, scram);
    await again.send(frame("AUTH", { message }));
    expect(again.last("REFUSE")?.json).toEqual({ code: 17, message: "The token is wrong, or was revoked." });
    expect(again.last("WELCOME")).toBeUndefined();
  });
});
