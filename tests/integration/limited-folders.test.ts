/** Tokens for one folder: the folder itself, and what happens to it. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Operator } from "../../lib/client/operator.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { faultOf } from "../support/fault.ts";
import { LimitedSite } from "../support/limited-site.ts";
import { until } from "../support/until.ts";

let site: LimitedSite;

beforeEach(async () => {
  site = await LimitedSite.start();
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

const NAMES = ["own-link", "own.txt", "sub", "sub/deep.txt"];

async function namesOf(token: Token): Promise<string[]> {
  const { client } = await site.client(token);
  const entries = await Array.fromAsync(client.list());
  return entries.filter(({ kind }) => kind !== "link").map(({ path }) => path);
}

const warnings = () => site.web.access.events.flatMap((event) => (event.event === "warning" ? [event.message] : []));

describe("a folder that is not there", () => {
  test("is made when its first session asks for something", async () => {
    const token = site.issue("carol", { folder: "inbox/new/carol" });
    expect(await namesOf(token)).toEqual([]);
    expect(existsSync(site.path("inbox/new/carol"))).toBe(true);
  });

  test("that vanishes is UNREADABLE, as a repository that is gone, and the next session makes it again", async () => {
    const { client } = await site.client(site.bob);
    expect((await client.stat("own.txt")).size).toBe(7);
    rmSync(site.path("inbox/bob"), { recursive: true });
    for (const work of [
      () => client.stat("own.txt"),
      () => Array.fromAsync(client.list()),
      () => client.digest("own.txt"),
      () => client.remove("own.txt", false),
      () => client.rename("own.txt", "other.txt", false),
    ]) {
      expect(await faultOf(work)).toMatchObject({
        code: "UNREADABLE",
        message: "The server's repository is not there at present.",
      });
    }
    expect((await site.web.ask("/files/own.txt", { token: site.bob })).status).toBe(404);
    expect(await namesOf(site.bob)).toEqual([]);
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, "in the way")],
    ["a link that leads out of the repository", (path: string) => symlinkSync("/etc", path)],
    ["a link that leads nowhere", (path: string) => symlinkSync("nowhere", path)],
  ])("that becomes %s is UNREADABLE, for this session and the next, and the operator learns why", async (_, put) => {
    const { client } = await site.client(site.bob);
    await client.stat("own.txt");
    rmSync(site.path("inbox/bob"), { recursive: true });
    put(site.path("inbox/bob"));
    const { client: next } = await site.client(site.bob);
    for (const each of [client, next]) {
      expect((await faultOf(() => each.stat("passwd"))).code).toBe("UNREADABLE");
      expect((await faultOf(() => Array.fromAsync(each.list()))).code).toBe("UNREADABLE");
    }
    expect(warnings()).toEqual([expect.stringContaining('The folder "inbox/bob" of the token "bob" is not there:')]);
  });

  test("that becomes a link to another folder of the repository is that folder", async () => {
    rmSync(site.path("inbox/bob"), { recursive: true });
    symlinkSync("alice", site.path("inbox/bob"));
    expect(await namesOf(site.bob)).toEqual(["ZEBRA.txt"]);
  });
});

describe("two tokens", () => {
  test("of overlapping folders see the same files, each from its own folder", async () => {
    const inbox = site.issue("all-of-inbox", { folder: "inbox" });
    const { client: above } = await site.client(inbox);
    const { client: below } = await site.client(site.bob);
    const changes: string[] = [];
    const stop = new AbortController();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const watching = (async () => {
      for await (const change of below.watch(undefined, stop.signal, resolve)) {
        if (change.change !== "missed") changes.push(`${change.change} ${change.path}`);
      }
    })().catch(() => {});
    await begun;
    await above.rename("alice/ZEBRA.txt", "bob/given.txt", false);
    await until(() => changes.includes("added given.txt"));
    expect((await below.stat("given.txt")).size).toBe(16);
    await below.rename("given.txt", "sub/taken.txt", false);
    expect((await above.stat("bob/sub/taken.txt")).size).toBe(16);
    stop.abort();
    await watching;
  });

  test("move nothing to where the other has moved a folder away, not even a moment later", async () => {
    const inbox = site.issue("all-of-inbox", { folder: "inbox" });
    const [{ client: above }, { client: below }] = [await site.client(inbox), await site.client(site.bob)];
    await below.stat("sub/deep.txt");
    await above.rename("bob/sub", "alice/sub", false);
    expect((await faultOf(() => below.stat("sub/deep.txt"))).code).toBe("NOT_FOUND");
  });
});

describe("making one", () => {
  let operator: Operator;

  beforeEach(async () => {
    operator = await site.web.access.operator();
  });

  test("makes its folder, and answers with its limits", async () => {
    const made = await operator.issueToken({ name: "dora", role: "write", folder: "inbox/dora", uses: 3 });
    expect(made).toMatchObject({ folder: "inbox/dora", uses: 3, usesLeft: 3 });
    expect(existsSync(site.path("inbox/dora"))).toBe(true);
    const records = await Array.fromAsync(operator.tokens());
    expect(records.find(({ name }) => name === "dora")).toMatchObject({ folder: "inbox/dora", uses: 3, usesLeft: 3 });
    expect(records.find(({ name }) => name === "alice")).not.toHaveProperty("folder");
    expect(site.web.access.events).toContainEqual(
      expect.objectContaining({ event: "issued", token: "dora", folder: "inbox/dora", uses: 3 }),
    );
  });

  test.each([
    ["../out", "BAD_PATH"],
    ["/inbox", "BAD_PATH"],
    ["inbox//bob", "BAD_PATH"],
    ["inbox/./bob", "BAD_PATH"],
    ["", "BAD_PATH"],
    ["inbox\u0000", "BAD_PATH"],
    ["inbox/bob/own.txt", "EXISTS"],
    ["inbox/bob/own.txt/below", "EXISTS"],
    ["inbox/bob/etc", "NOT_ALLOWED"],
    ["inbox/bob/etc/below", "NOT_ALLOWED"],
    ["inbox/x.commserver-part", "NOT_ALLOWED"],
  ] as const)("for %j is %s, and makes neither token nor folder", async (folder, code) => {
    const before = site.rest;
    expect((await faultOf(() => operator.issueToken({ name: "dora", role: "write", folder }))).code).toBe(code);
    expect((await Array.fromAsync(operator.tokens())).some(({ name }) => name === "dora")).toBe(false);
    expect(site.rest).toEqual(before);
  });

  test("for an operator is BAD_PARAMS, and so are no uses", async () => {
    const limits = [{ folder: "inbox" }, { uses: 1 }];
    for (const each of limits) {
      expect((await faultOf(() => operator.issueToken({ name: "dora", role: "operator", ...each }))).code).toBe(
        "BAD_PARAMS",
      );
    }
    expect((await faultOf(() => operator.issueToken({ name: "dora", role: "read", uses: 0 }))).code).toBe("BAD_PARAMS");
  });

  test("on an earlier server, which would ignore the limits, leaves no token behind", async () => {
    const calls: string[] = [];
    const earlier = {
      async call(method: string) {
        calls.push(method);
        return method === "issueToken" ? { token: "dora:x", invite: "i" } : {};
      },
    };
    const fault = await faultOf(() =>
      new Operator(earlier as never).issueToken({ name: "dora", role: "read", uses: 1 }),
    );
    expect(fault).toMatchObject({ code: "UNKNOWN_METHOD", message: expect.stringContaining("too old") });
    expect(calls).toEqual(["issueToken", "revokeToken"]);
  });
});

describe("what others are told", () => {
  test("the operator gets whole paths, and status shows its own folder", async () => {
    const { client } = await site.client(site.bob);
    expect((await client.status()).self).toMatchObject({ token: "bob", folder: "inbox/bob" });
    await client.rename("own.txt", "renamed.txt", false);
    await client.remove("sub", true);
    await site.web.ask("/files/by-http.txt", { method: "PUT", token: site.bob, body: "x" });
    const told = site.web.access.events.filter(({ event }) => ["renamed", "removed", "stored"].includes(event));
    expect(told).toMatchObject([
      { from: "inbox/bob/own.txt", to: "inbox/bob/renamed.txt" },
      { path: "inbox/bob/sub" },
      { path: "inbox/bob/by-http.txt" },
    ]);
  });

  test("status shows a session its own token's sessions alone", async () => {
    const { client: alice } = await site.client(site.all);
    const { client } = await site.client(site.bob);
    const [page, here] = [await client.status(), await client.status({ here: true })];
    expect(page.sessions.map(({ name }) => name)).toEqual([client.name]);
    expect(here.here?.map(({ name }) => name)).toEqual([client.name]);
    expect([page.total, page.seats.taken, page.seats.waiting, page.next]).toEqual([1, 1, 0, null]);
    expect((await alice.status()).sessions).toHaveLength(2);
  });

  test("where the rest of the repository leaves no room, it does not learn how much", async () => {
    const { body } = await site.web.ask("/files/", {
      method: "PROPFIND",
      headers: { depth: "0" },
      token: site.bob,
      body: '<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>',
    });
    expect(body.toString()).toContain("404 Not Found");
  });
});

test("a token whose limits change in the file ends its sessions, and the next one has the new limits", async () => {
  const file = site.web.access.folder.join("tokens.json");
  const { client } = await site.client(site.bob);
  const { client: other } = await site.client(site.all);
  mkdirSync(site.path("inbox/moved"));
  writeFileSync(file, readFileSync(file, "utf8").replace('"inbox/bob"', '"inbox/moved"'));
  expect(site.web.access.server.reloadTokens()).toBe(true);
  expect(await client.ended).toMatchObject({
    code: "ACCESS_DENIED",
    message: 'The limits of the token "bob" have changed.',
  });
  expect(await namesOf(site.bob)).toEqual([]);
  expect((await other.status()).self.name).toBe(other.name);
});

test("what is his own is there", async () => {
  expect((await namesOf(site.bob)).sort()).toEqual(NAMES);
});
