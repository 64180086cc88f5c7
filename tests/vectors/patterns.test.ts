import { describe, expect, test } from "bun:test";
import { GLOB_LIMITS, isGlob, parseGlob } from "../../lib/glob.ts";
import { selectGlob } from "../../lib/selection.ts";
import { codeOf } from "../support/fault.ts";
import { naiveMatch } from "../support/naive-glob.ts";
import { PAGE, readTable } from "../support/protocol-page.ts";
import { TestServer } from "../support/test-server.ts";

/** The texts in backticks of a cell. */
const textsOf = (cell: string | undefined) =>
  [...(cell ?? "").matchAll(/`([^`]*)`/g)].map(([, text]) => text as string);

const rows = readTable("pattern", "matches", "does not match").map((row) => ({
  pattern: textsOf(row["pattern"])[0] as string,
  yes: textsOf(row["matches"]),
  no: textsOf(row["does not match"]),
}));
const refused = readTable("refused", "answer", "because").map(
  (row) => [textsOf(row["refused"])[0] as string, row["answer"] as string] as const,
);

describe("the patterns of PROTOCOL.md", () => {
  test.each(rows.map(({ pattern, yes, no }) => [pattern, yes, no] as const))(
    "%p matches what the page says, for lib and for the naive matcher of the tests",
    (pattern, yes, no) => {
      expect(isGlob(pattern)).toBe(true);
      const { matches } = selectGlob(pattern);
      const paths = [...yes, ...no];
      expect(paths.filter(matches)).toEqual(yes);
      expect(paths.filter((path) => naiveMatch(pattern, path))).toEqual(yes);
      expect(paths.length).toBeGreaterThan(1);
    },
  );

  test.each(rows.map(({ pattern, yes, no }) => [pattern, yes, no] as const))(
    "%p is matched so by a server",
    async (pattern, yes, no) => {
      await using server = new TestServer();
      // A path may be a file in one row's list and a folder in the next one's.
      for (const path of [...yes, ...no].sort().reverse()) {
        if (![...yes, ...no].some((other) => other.startsWith(`${path}/`))) server.storage.set(path, new Uint8Array(1));
      }
      const client = await server.client();
      const listed: string[] = [];
      for await (const { path } of client.list(pattern)) listed.push(path);
      expect(yes.filter((path) => !listed.includes(path))).toEqual([]);
      expect(no.filter((path) => listed.includes(path))).toEqual([]);
    },
  );

  test.each(refused)("%p is refused with %s, by lib, by list and by watch", async (pattern, answer) => {
    expect(isGlob(pattern)).toBe(true);
    expect(await codeOf(() => parseGlob(pattern))).toBe(answer);
    await using server = new TestServer();
    const client = await server.client();
    expect(await codeOf(() => client.list(pattern).next())).toBe(answer);
    expect(await codeOf(() => client.watch(pattern).next())).toBe(answer);
  });

  test("have the limits of lib", () => {
    const { length, groups, stars, alternatives } = GLOB_LIMITS;
    expect(PAGE.replaceAll("\n", " ")).toContain(
      `A pattern of more than ${length} characters, ${groups} \`{\` or ${stars} \`*\`, or one that stands for more than ${alternatives} patterns, is BAD_PARAMS.`,
    );
  });
});
