/** A client with a code, and one server or several that may have it. */
import { describe, expect, test } from "bun:test";
import { toCommError } from "../../lib/errors.ts";
import { formatInvite } from "../../lib/protocol/invite.ts";
import { type OneTimeCode, parseCode } from "../../lib/protocol/one-time-code.ts";
import type { Token } from "../../lib/protocol/token.ts";
import type { Transport } from "../../lib/session/transport.ts";
import { type CodeServer, redeemCode } from "../../lib/trust/redeem-code.ts";
import { AccessServer } from "../support/access-server.ts";

const invite = (token: Token) =>
  formatInvite({ label: "lab", addresses: ["192.0.2.1:5050"], identity: `SHA256:${"A".repeat(43)}`, token });

class Site implements AsyncDisposable {
  readonly server = new AccessServer({ invite });

  async place(way: "tcp" | "tls" = "tls"): Promise<CodeServer> {
    const address = await this.server.listen(way);
    return { name: `server at ${way}`, addresses: [address], isPlaintext: way === "tcp" };
  }

  async code(): Promise<OneTimeCode> {
    const operator = await this.server.operator();
    const { code } = await operator.issueCode({ name: "laptop", role: "write" });
    await operator.client.close();
    return parseCode(code);
  }

  /** A code with that plate and another secret. */
  async codeLike({ plate, secret }: OneTimeCode): Promise<OneTimeCode> {
    const operator = await this.server.operator();
    for (;;) {
      const code = parseCode((await operator.issueCode({ name: "laptop", role: "write" })).code);
      if (code.plate === plate && code.secret !== secret) return code;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

const redeem = (code: OneTimeCode, places: readonly CodeServer[], signal = new AbortController().signal) =>
  redeemCode(code, places, {
    agent: "test-client",
    timeoutMs: 5_000,
    trace: (transport: Transport) => transport,
    signal,
  });

const faultOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => Promise.reject(new Error("it worked")),
    (thrown) => toCommError(thrown),
  );

test.each(["tcp", "tls"] as const)("over %s the server is joined whose certificate nobody knew", async (way) => {
  await using site = new Site();
  const place = await site.place(way);
  const { invite, contact, reachedAt } = await redeem(await site.code(), [place]);
  expect(invite.token.name).toBe("laptop");
  expect(contact).toBe("write");
  expect(reachedAt).toStartWith("127.0.0.1:");
});

test("a server that can't be reached is no obstacle, and neither is one without the code", async () => {
  await using site = new Site();
  await using other = new Site();
  const closed = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  const nowhere = { name: "nowhere", addresses: [closed], isPlaintext: false };
  const code = await site.code();
  expect((await redeem(code, [nowhere, await other.place(), await site.place()])).contact).toBe("write");
  expect(other.server.refusals).toMatchObject([{ code: "NO_SUCH_CODE" }]);
});

describe("no code is spent", () => {
  test("when two servers have codes with the same first digits", async () => {
    await using site = new Site();
    await using other = new Site();
    const code = await site.code();
    const theirs = await other.codeLike(code);
    const places = [await site.place(), await other.place("tcp")];
    const fault = await faultOf(redeem(code, places));
    expect(fault).toMatchObject({
      code: "MALFORMED",
      message: expect.stringContaining("server at tls, server at tcp"),
    });
    expect((await redeem(code, places.slice(0, 1))).contact).toBe("write");
    expect((await redeem(theirs, places.slice(1))).contact).toBe("write");
  });

  test("when the person gives up meanwhile", async () => {
    await using site = new Site();
    const code = await site.code();
    const place = await site.place();
    const given = AbortSignal.abort();
    expect((await faultOf(redeem(code, [place], given))).code).toBe("INTERRUPTED");
    expect((await redeem(code, [place])).contact).toBe("write");
  });
});

test("of servers without the code, the answer says so; of none, that there is none", async () => {
  await using site = new Site();
  const unknown = { plate: "000", secret: "000000" };
  const closed = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  const nowhere = { name: "nowhere", addresses: [closed], isPlaintext: false };
  expect((await faultOf(redeem(unknown, [nowhere, await site.place()]))).code).toBe("NO_SUCH_CODE");
  expect((await faultOf(redeem(unknown, [nowhere]))).code).toBe("CANNOT_CONNECT");
  expect((await faultOf(redeem(unknown, []))).code).toBe("NO_SUCH_SERVER");
});

test("a wrong code is told from one that is not there", async () => {
  await using site = new Site();
  const { plate, secret } = await site.code();
  const wrong = { plate, secret: String((Number(secret) + 1) % 1_000_000).padStart(6, "0") };
  expect((await faultOf(redeem(wrong, [await site.place()]))).code).toBe("ACCESS_DENIED");
});
