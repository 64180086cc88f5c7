/** Links, as an operator makes them and as people without a token follow them with curl. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { AccessSite, errorOf, filesBelow } from "../support/access-site.ts";
import { run } from "../support/processes.ts";
import { Random } from "../support/random.ts";

const content = Buffer.from(new Random("web links").bytes(3 * 1024 * 1024 + 5));
let site: AccessSite;

beforeAll(async () => {
  site = await AccessSite.start("--web", "read");
  writeFileSync(site.folder.join("files", "a report.bin"), content);
});

afterAll(() => site[Symbol.asyncDispose]());

const operate = async (...args: string[]) => {
  const done = await site.operate("console", ...args, "--json");
  expect(done).toMatchObject({ exitCode: 0 });
  return JSON.parse(done.stdout);
};
const curl = (...args: string[]) => {
  const pin = site.server.events[0]?.["pin"] as string;
  return run([Bun.which("curl") as string, "-sS", "--insecure", "--pinnedpubkey", pin, ...args], {
    cwd: site.folder.path,
  });
};
const status = async (url: string) => (await curl("-o", "answer", "-w", "%{http_code}", url)).stdout;

test("a link gives one file to curl, goes on where it was cut off, and outlives a restart", async () => {
  const { text, link } = await operate("link", "a report.bin", "--expires", "1h");
  expect(link).toMatchObject({ path: "a report.bin", expiresAt: expect.any(Number) });
  expect(text).toContain(link.url);
  expect(await curl("-OJf", link.url)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(site.folder.join("a report.bin")).equals(content)).toBe(true);
  writeFileSync(site.folder.join("part"), content.subarray(0, 1_234_567));
  await site.restart();
  expect(await curl("-f", "-C", "-", "-o", "part", link.url)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(site.folder.join("part")).equals(content)).toBe(true);
  const [, secret = ""] = /\/link\/([^/]+)\//.exec(link.url) ?? [];
  expect(filesBelow(site.stateDir).filter((file) => file.text.includes(secret))).toEqual([]);
  expect(JSON.stringify(site.server.events)).not.toContain(secret);
});

test("a revoked link and one whose file has changed say so, and nothing else opens", async () => {
  writeFileSync(site.folder.join("files", "other"), "one");
  const [first, second] = [await operate("link", "other"), await operate("link", "other")];
  const listed = await operate("link", "list");
  expect(listed.links.map(({ name }: { name: string }) => name)).toContain(first.link.name);
  expect(await status(first.link.url)).toBe("200");
  await operate("link", "revoke", first.link.name);
  expect(await status(first.link.url)).toBe("410");
  expect(readFileSync(site.folder.join("answer"), "utf8")).toStartWith("NOT_FOUND: The link was revoked.\n");
  writeFileSync(site.folder.join("files", "other"), "changed");
  expect(await status(second.link.url)).toBe("410");
  expect(readFileSync(site.folder.join("answer"), "utf8")).toStartWith('CHANGED: "other" has changed since');
  expect(await status(second.link.url.replace(/\/link\/.*/, "/files/"))).toBe("401");
  expect(await status(second.link.url.replace(/other$/, "a.txt"))).toBe("404");
});

test("a line that makes no link says why", async () => {
  for (const [args, exitCode, code] of [
    [["link", "none"], 6, "NOT_FOUND"],
    [["link", "revoke", "00000000"], 6, "NOT_FOUND"],
    [["link", "a.txt", "--expires", "soon"], 2, "USAGE"],
    [["status", "--expires", "1h"], 2, "USAGE"],
    [["link"], 2, "USAGE"],
  ] as const) {
    const done = await site.operate("console", ...args, "--json");
    expect(done).toMatchObject({ exitCode, stdout: "" });
    expect(errorOf(done).code).toBe(code);
  }
  expect((await site.operate("console", "link", "./a.txt")).stdout).toMatch(
    /^It leads to a\.txt as it is now, until .*:\n\n {2}https:\/\/127\.0\.0\.1:\d+\/link\/[\w-]{43}\/a\.txt\n/,
  );
});
