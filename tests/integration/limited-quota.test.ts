/** The quota of a token for a folder. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import type { Token } from "../../lib/protocol/token.ts";
import { call, LimitedSite, putting } from "../support/limited-site.ts";

let site: LimitedSite;
let token: Token;
let client: Client;

/** What is in Bob's folder when a test begins; the link to his own file counts as that file. */
const BEFORE = 2 * "his own".length + "his own, deeper".length;
const QUOTA = 1_000;

beforeEach(async () => {
  site = await LimitedSite.start();
  token = site.issue("limited", { folder: "inbox/bob", quotaBytes: QUOTA });
  ({ client } = await site.client(token));
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

const put = (by: Client, path: string, bytes: number, exists = "fail") =>
  call(by, "put", {}, putting(path, "x".repeat(bytes), exists));

const stored = expect.stringContaining('"outcome":"stored"');
const refused = expect.stringMatching(/"state":"failed".*left of the repository's quota of 1\.0 KB/);

test("counts what was there before, whoever put it there", async () => {
  expect(await put(client, "a", QUOTA - BEFORE + 1)).toEqual(refused);
  expect(await put(client, "a", QUOTA - BEFORE)).toEqual(stored);
  expect(await put(client, "b", 1)).toEqual(refused);
  expect(await put(client, "empty", 0)).toEqual(stored);
});

test("is one for all sessions of the token, by streams and by HTTP, also at once", async () => {
  const others = await Promise.all([1, 2, 3].map(() => site.client(token)));
  const all = [client, ...others.map((other) => other.client)];
  const byStream = all.flatMap((each, index) => [0, 1].map((turn) => put(each, `s${index}${turn}`, 300)));
  const byHttp = [0, 1, 2, 3].map(async (index) => {
    const { status } = await site.web.ask(`/files/h${index}`, { method: "PUT", token, body: "x".repeat(300) });
    return `HTTP ${status}`;
  });
  const answers = await Promise.all([...byStream, ...byHttp]);
  const kept = answers.filter((answer) => answer.includes('"stored"') || answer === "HTTP 201");
  expect(kept).toHaveLength(3);
  expect(
    answers.filter((answer) => answer.startsWith("HTTP") && answer !== "HTTP 201").every((each) => each === "HTTP 507"),
  ).toBe(true);
});

test("gets back what is removed, and nothing by a rename", async () => {
  expect(await put(client, "a", 600)).toEqual(stored);
  await client.rename("a", "b", false);
  expect(await put(client, "c", 600)).toEqual(refused);
  await client.remove("b", false);
  expect(await put(client, "c", 600)).toEqual(stored);
});

test("does not limit others, whose files count when they are counted again", async () => {
  const { client: other } = await site.client(site.bob);
  expect(await put(other, "large", 5_000)).toEqual(stored);
  expect(await put(client, "a", 1)).toEqual(refused);
});

test("is what is told of the room", async () => {
  const { self } = await client.status();
  expect(self).toMatchObject({ folder: "inbox/bob", quotaBytes: QUOTA });
  const { body } = await site.web.ask("/files/", {
    method: "PROPFIND",
    headers: { depth: "0" },
    token,
    body: '<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>',
  });
  expect(body.toString()).toContain("<D:quota-available-bytes>");
});
