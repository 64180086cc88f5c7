/** COMMSERVER_TRACE: what passed between the two programs, and nothing that is secret. */
import { beforeAll, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { AccessSite, errorOf } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

const LINE =
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z #\d+ (?:open .+|closed.*|< end|[<>] [A-Z]+ stream=\d+ length=\d+( flags=END)?( .+)?)$/;

test("each frame of a get is a line in the client's trace, which nobody else can read", async () => {
  await using site = await AccessSite.start();
  const file = site.folder.join("trace.log");
  const env = { COMMSERVER_INVITE: site.invite, COMMSERVER_TRACE: file };
  const { exitCode } = await site.client(["get", "a.txt", "--output", site.folder.join("here.txt")], { env });
  expect(exitCode).toBe(0);
  const text = readFileSync(file, "utf8");
  const lines = text.trimEnd().split("\n");
  expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
  for (const part of ["> HELLO", "< WELCOME", '"method":"get"', "> DATA", "< DATA", "< END", "> GOAWAY", "#1 closed"])
    expect(text).toContain(part);
  expect(text).not.toContain(site.secret);
  expect(text).not.toMatch(/[,"][cnrpv]=/); // a message of SCRAM
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a server traces its clients and its operators, and masks the token that it makes", async () => {
  await using site = await AccessSite.start();
  const file = site.folder.join("trace.log");
  site.traceTo = file;
  await site.restart();
  const made = await site.operate("token", "add", "laptop", "--json");
  const { token } = JSON.parse(made.stdout);
  await site.client(["list"], { env: { COMMSERVER_INVITE: site.invite } });
  await until(() => (readFileSync(file, "utf8").match(/ closed/g) ?? []).length >= 2);
  const text = readFileSync(file, "utf8");
  for (const part of ["< HELLO", '"method":"issueToken"', '"token":"***"', '"method":"list"'])
    expect(text).toContain(part);
  expect(text).not.toContain(token.split(":")[1]);
  expect(text).not.toContain(site.secret);
});

test("a file that can't be written is told before anything is connected to", async () => {
  await using site = await AccessSite.start();
  const env = { COMMSERVER_INVITE: site.invite, COMMSERVER_TRACE: site.folder.join("no", "such", "folder") };
  const refused = await site.client(["list", "--json"], { env });
  expect(refused.exitCode).toBe(2);
  expect(errorOf(refused).message).toContain("COMMSERVER_TRACE");
});
