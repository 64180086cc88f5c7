/** What is looked at before a request is anybody's: its name for this server, its form, and who sends it. */
import { describe, expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { identify } from "../../../lib/gateway/credentials.ts";
import { requireHost } from "../../../lib/gateway/host-check.ts";
import { checkMessage, hasBody } from "../../../lib/gateway/message-check.ts";
import type { Token } from "../../../lib/protocol/token.ts";
import type { Access } from "../../../lib/server/access/access.ts";
import { AccessError, type Account } from "../../../lib/server/access/account.ts";
import { codeOf } from "../../support/fault.ts";

describe("the name that a request calls this server by", () => {
  const known = new Set(["files.test"]);

  test.each([
    "",
    ":5050",
    "localhost",
    "LOCALHOST:5050",
    "a.localhost",
    "files.test",
    "Files.Test:80",
    "files.test.",
    "192.0.2.1",
    "192.0.2.1:5050",
    "[2001:db8::1]",
    "[2001:db8::1]:5050",
    "[fe80::1%25eth0]:5050",
  ])("may be %p", (host) => {
    requireHost(host, known);
  });

  test.each(["evil.test", "files.test.evil", "xfiles.test", "notlocalhost", "192.0.2.1.evil", "[evil]", "192.0.2"])(
    "may not be %p, which could be a foreign page's own",
    async (host) => {
      expect(await codeOf(() => requireHost(host, known))).toBe("NOT_ALLOWED");
    },
  );
});

describe("the form of a request", () => {
  const message = (httpVersion: string, ...rawHeaders: string[]) =>
    ({ httpVersion, rawHeaders }) as unknown as IncomingMessage;

  test("has one field Host, in any case of letters, and in HTTP/1.0 none as well", () => {
    expect(checkMessage(message("1.1", "Accept", "host", "HOST", "a:1"))).toEqual({ host: "a:1" });
    expect(checkMessage(message("1.1", "Host", ""))).toEqual({ host: "" });
    expect(checkMessage(message("1.0", "Accept", "*/*"))).toEqual({ host: "" });
    expect(checkMessage(message("1.0", "host", "b"))).toEqual({ host: "b" });
  });

  test.each([
    ["another version", message("2.0", "Host", "a")],
    ["no version that there is", message("0.9", "Host", "a")],
    ["no Host", message("1.1", "Accept", "host")],
    ["two", message("1.1", "Host", "a", "host", "a")],
    ["two in HTTP/1.0", message("1.0", "Host", "a", "host", "a")],
    ["a user in it", message("1.1", "Host", "me@a")],
    ["a path in it", message("1.1", "Host", "a/b")],
    ["a port that is none", message("1.1", "Host", "a:123456")],
  ])("with %s is BAD_PARAMS", async (_, request) => {
    expect(await codeOf(() => checkMessage(request))).toBe("BAD_PARAMS");
  });

  test.each([
    [{}, false],
    [{ "content-length": "0" }, false],
    [{ "content-length": "1" }, true],
    [{ "transfer-encoding": "chunked" }, true],
  ])("with %j has a body: %p", (headers, expected) => {
    expect(hasBody({ headers } as IncomingMessage)).toBe(expected);
  });
});

describe("who sends a request", () => {
  const account: Account = { role: "read", token: "ci" };
  const anybody: Account = { role: "read", token: undefined };
  const secret = Buffer.alloc(32, 7).toString("base64url");
  const [far, near] = [
    { group: "192.0.2.1", isLoopback: false },
    { group: "127.0.0.1", isLoopback: true },
  ];
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  function site({ isOpen = false } = {}) {
    const judged: string[] = [];
    const access = {
      withoutToken() {
        if (isOpen) return anybody;
        throw new AccessError("TOKEN_REQUIRED", "A token is needed.", "none");
      },
      async judge(token: Token) {
        judged.push(token.name);
        return account;
      },
    } as unknown as Access;
    const ask = (authorization: string | undefined, isEncrypted: boolean, peerAddress = far) =>
      identify(authorization, { isEncrypted, peerAddress }, access);
    return { ask, judged };
  }

  test("is told by Basic or Bearer, in any case of letters", async () => {
    const { ask, judged } = site();
    const token = `ci:${secret}`;
    for (const field of [
      basic(token),
      basic(token).replace("Basic", "bAsIc"),
      `Bearer ${token}`,
      `bearer   ${token}`,
    ]) {
      expect(await ask(field, true)).toBe(account);
    }
    expect(judged).toEqual(["ci", "ci", "ci", "ci"]);
  });

  test.each(["", "Basic", "Basic ", "Digest x", "Bearer ci", "Basic !!!", `Basic ci:${secret}`, "Bearer a b"])(
    "is ACCESS_DENIED by %p, and no token is tried",
    async (field) => {
      const { ask, judged } = site();
      expect(await codeOf(() => ask(field, true))).toBe("ACCESS_DENIED");
      expect(judged).toEqual([]);
    },
  );

  test("may not be told where others can read it, but from this machine", async () => {
    const { ask, judged } = site();
    expect(await codeOf(() => ask(`Bearer ci:${secret}`, false))).toBe("NOT_ALLOWED");
    expect(judged).toEqual([]);
    expect(await ask(`Bearer ci:${secret}`, false, near)).toBe(account);
  });

  test("need not be told to an open server, and is asked for only where nobody else reads it", async () => {
    expect(await site({ isOpen: true }).ask(undefined, false)).toBe(anybody);
    expect(await codeOf(() => site().ask(undefined, true))).toBe("TOKEN_REQUIRED");
    expect(await codeOf(() => site().ask(undefined, false, near))).toBe("TOKEN_REQUIRED");
    expect(await codeOf(() => site().ask(undefined, false))).toBe("NOT_ALLOWED");
  });
});
