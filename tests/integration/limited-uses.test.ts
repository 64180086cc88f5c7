/** Tokens for so many sessions. */

import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmdirSync } from "node:fs";
import type { ErrorCode } from "../../lib/errors.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { limitsOf } from "../../lib/server/access/scope.ts";
import { TokenStore } from "../../lib/server/access/token-store.ts";
import { GRACE_MS } from "../../lib/server/guests.ts";
import { AccessServer } from "../support/access-server.ts";
import { faultOf } from "../support/fault.ts";
import { LimitedSite } from "../support/limited-site.ts";
import { until } from "../support/until.ts";

function issue(server: AccessServer, uses: number): Token {
  const record = { name: "guest", role: "read", createdAt: server.clock.wallTime(), expiresAt: null } as const;
  return server.tokens.add({ ...record, ...limitsOf({ uses }) });
}

/** What a server that starts now would find. */
function leftOnDisk(server: AccessServer): number | undefined {
  return TokenStore.open(server.folder.join("tokens.json")).find("guest")?.uses?.left;
}

const codeOf = async (work: () => Promise<unknown>): Promise<ErrorCode> => (await faultOf(work)).code;

test("it admits so many sessions, and then says that it is spent", async () => {
  await using server = new AccessServer({ maxClients: 5 });
  const token = issue(server, 2);
  const operator = await server.operator();
  for (const left of [1, 0]) {
    const client = await server.client(token);
    // On the disk before the client knows that it is in.
    expect(leftOnDisk(server)).toBe(left);
    expect(await Array.fromAsync(operator.tokens())).toMatchObject([{ name: "guest", uses: 2, usesLeft: left }]);
    await client.close();
  }
  expect(await faultOf(() => server.client(token))).toMatchObject({
    code: "ACCESS_DENIED",
    message: 'The token "guest" is spent: it was for 2 sessions.',
  });
  expect(server.refusals).toMatchObject([{ code: "ACCESS_DENIED", message: expect.stringContaining("is spent") }]);
  // Only its holder learns that.
  expect(await faultOf(() => server.client({ ...token, secret: "x".repeat(43) }))).toMatchObject({
    message: "The token is wrong, or was revoked.",
  });
});

test("of many that come at once, so many get in", async () => {
  await using server = new AccessServer({ maxClients: 20 });
  const token = issue(server, 3);
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => server.client(token)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  expect(leftOnDisk(server)).toBe(0);
});

test("one that waits for a seat takes its use when it gets the seat", async () => {
  await using server = new AccessServer({ maxClients: 1 });
  const token = issue(server, 2);
  const first = await server.client(token);
  const waiting = [1, 2].map(() => server.client(token, { wait: true }));
  await until(() => server.server.seats.waiting === 2);
  expect(leftOnDisk(server)).toBe(1);
  await first.close();
  const second = await Promise.race(waiting);
  await second.close();
  const outcomes = await Promise.allSettled(waiting);
  expect(outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []))).toEqual(["ACCESS_DENIED"]);
  expect(server.server.seats.taken).toBe(0);
});

test("a client that comes back to its session takes none", async () => {
  await using server = new AccessServer();
  const token = issue(server, 1);
  const client = await server.client(token, { resume: "" });
  client.abandon();
  await until(() => server.events.some(({ event }) => event === "away"));
  const back = await server.client(token, { resume: client.resume ?? "" });
  expect([back.name, leftOnDisk(server)]).toEqual([client.name, 0]);
});

test("where it can't be counted on the disk, nobody is admitted, and no use is lost", async () => {
  await using server = new AccessServer({ maxClients: 5 });
  const token = issue(server, 1);
  const [file, aside] = [server.folder.join("tokens.json"), server.folder.join("aside")];
  renameSync(file, aside);
  mkdirSync(file);
  expect(await codeOf(() => server.client(token))).toBe("UNAVAILABLE");
  expect(server.server.seats.taken).toBe(0);
  rmdirSync(file);
  renameSync(aside, file);
  await server.client(token);
  expect(leftOnDisk(server)).toBe(0);
});

test("by HTTP, requests one after the other are one session", async () => {
  await using site = await LimitedSite.start();
  const token = site.issue("guest", { uses: 2 });
  const ask = async () => (await site.web.ask("/files/ZEBRA-top.txt", { token })).status;
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
  const left = () => site.web.access.tokens.find("guest")?.uses?.left;
  expect(left()).toBe(1);
  await site.web.access.clock.advance(GRACE_MS);
  expect([await ask(), left()]).toEqual([200, 0]);
  await site.web.access.clock.advance(GRACE_MS);
  const { status, body } = await site.web.ask("/files/ZEBRA-top.txt", { token });
  expect([status, body.toString()]).toEqual([401, expect.stringContaining("is spent: it was for 2 sessions.")]);
});

test("a file with limited tokens is of a later form, so that earlier programs take none for unlimited", async () => {
  await using server = new AccessServer();
  const form = () => JSON.parse(readFileSync(server.folder.join("tokens.json"), "utf8")).version;
  server.issue("laptop");
  expect(form()).toBe(1);
  issue(server, 1);
  expect(form()).toBe(2);
  const scope = { folder: "inbox/bob", quotaBytes: 5_000, drop: true } as const;
  server.tokens.add({ name: "dropper", role: "write", createdAt: 1, expiresAt: null, ...limitsOf(scope) });
  const again = TokenStore.open(server.folder.join("tokens.json"));
  expect([again.find("dropper")?.scope, again.find("guest")?.uses]).toEqual([scope, { max: 1, left: 1 }]);
  for (const name of ["guest", "dropper"]) server.tokens.revoke(name);
  expect(form()).toBe(1);
});
