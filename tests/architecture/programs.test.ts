/** The table of programs in docs/http.md: each row is a test, and each test with a program is a row. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const PROGRAMS = /\b(curl|wget|aria2c|rclone|lftp|cadaver|davfs2|gio)\b/;

test("the programs in docs/http.md do what their tests are named by", () => {
  const text = readFileSync(join(ROOT, "docs/http.md"), "utf8");
  const table = text.slice(text.indexOf("## Programs"), text.indexOf("## How it works"));
  const rows = [...table.matchAll(/^\| (?!program |-)[^|]+\| ([^|]+?) +\|/gm)].map(([, name]) => name);
  const names = [...new Bun.Glob("tests/e2e/web-*.test.ts").scanSync(ROOT)].flatMap((file) => {
    const source = readFileSync(join(ROOT, file), "utf8");
    const tests = [...source.matchAll(/^ *test\("([^"]+)"/gm)].map(([, name]) => name ?? "");
    const withProgram = [...source.matchAll(/^ *testWith\("([^"]+)", "([^"]+)"/gm)].map(
      ([, one, name]) => `${one} ${name}`,
    );
    return [...tests, ...withProgram];
  });
  expect(rows.filter((row) => !names.includes(row ?? ""))).toEqual([]);
  const untold = [
    "a server without --web speaks no HTTP, whatever curl says",
    "says so at its start, and who it is for curl",
  ];
  const missing = names.filter((name) => PROGRAMS.test(name) && !rows.includes(name) && !untold.includes(name));
  expect(missing).toEqual([]);
});
