import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isGlob } from "../../lib/glob.ts";
import { selectGlob } from "../../lib/selection.ts";
import { bunMatcher } from "../support/bun-glob.ts";
import { naiveMatch } from "../support/naive-glob.ts";

test.each(["*", "?*", "a*", "a\\*", "**/b", "*/b", "a/*", "[Z-^]*", "[!a]*", "[\\]x", "{a\\,x}*", "**", "*\\*"])(
  "the pattern %p takes a backslash for a letter, on every system",
  (pattern) => {
    const paths = ["a\\b", "a/b", "ab", "\\x", "\\", "b", "x\\y/b", "a/b\\c", "[x", "a\\", "^", "Z"];
    const expected = paths.filter((path) => naiveMatch(pattern, path));
    expect(paths.filter(selectGlob(pattern).matches)).toEqual(expected);
  },
);

test("a pattern reaches a folder with a backslash in its name, and what is below it", () => {
  const { reaches } = selectGlob("docs/a\\b/c\\?/**");
  expect(["docs", "docs/a\\b", "docs/a\\b/c\\d", "docs/a\\b/c\\d/e"].map(reaches)).toEqual([true, true, true, true]);
  expect(["docs/a", "docs/a/b", "docs/a\\b/c", "docs/a\\b/c/d"].map(reaches)).toEqual([false, false, false, false]);
});

/** The matcher for a pattern, or undefined when it is refused. */
function matcherOf(glob: string): ((path: string) => boolean) | undefined {
  try {
    return selectGlob(glob).matches;
  } catch {
    return undefined;
  }
}

describe("selectGlob()", () => {
  const part = fc.constantFrom(
    ..."*?/ab.-é🦊+(|)!^$#~'\":;=&%<>_@ 0",
    ...[
      "**",
      "/**/",
      "**/",
      "*a",
      "*",
      "*",
      "*",
      "**",
      "?",
      "a",
      "[a-c]",
      "[!a]",
      "[^-b]",
      "[]]",
      "[[]",
      "[{,}]",
      "[--0]",
      "[!.-0]",
      "[*?]",
    ],
    ...["{a,b}", "{a,}", "{,/b}", "{**/a,b}", "{a/,}", "{*,a}", "{a,{b,*}/c}", "@(a)", "{1..3,2}"],
  );
  const glob = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));
  const name = fc.array(fc.constantFrom(..."aaabcé🦊][{},*?+(|!@1^$-.x\\"), { minLength: 1, maxLength: 4 });
  const path = fc
    .array(name, { minLength: 1, maxLength: 4 })
    .map((names) => names.map((letters) => letters.join("")).join("/"));

  test.skipIf(process.platform === "win32")("matches what Bun.Glob matches, where both define the same", () => {
    let [taken, matching] = [0, 0];
    fc.assert(
      fc.property(glob.filter(isGlob), fc.array(path, { minLength: 3, maxLength: 10 }), (text, paths) => {
        const matches = matcherOf(text);
        if (matches === undefined) return;
        taken++;
        const expected = paths.filter(bunMatcher(text));
        matching += expected.length;
        expect(paths.filter(matches)).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
    expect(Math.min(taken, matching)).toBeGreaterThan(100);
  });

  test("takes a lone surrogate in a path for one character, and never half of a pair", () => {
    const { matches } = selectGlob("a?b");
    expect(["a\ud800b", "a🦊b", "a🦊🦊b"].map(matches)).toEqual([true, true, false]);
    expect(selectGlob("*[!a]").matches("🦊")).toBe(true);
    expect(selectGlob("?*?").matches("🦊")).toBe(false);
  });
});

describe("a pattern made to be tried in many ways", () => {
  const PATHS = [
    "a".repeat(255),
    `${"a/".repeat(127)}a`,
    `${"ab/".repeat(127)}a`,
    Array.from({ length: 16 }, () => "a".repeat(250)).join("/"),
  ];
  const PATTERNS = [
    `${"*a".repeat(31)}*b`,
    `${"*[ab]".repeat(31)}*c`,
    `${"*?".repeat(31)}*c`,
    `${"**/".repeat(15)}*c`,
    `${"**/*a*/".repeat(7)}**/c`,
    `${"**/[ab]*[ab]/".repeat(7)}**/c`,
    `${"*/**/".repeat(10)}c`,
    `${"a*/".repeat(30)}*c`,
    `{${"*a".repeat(5)},${"*[a-z]".repeat(5)}}${"{*,a*}".repeat(4)}c`,
    `${"{**/a/,**/aa/}".repeat(6)}c`,
    `${"{*/,**/}".repeat(6)}**/c`,
    `*${"a?".repeat(120)}c`,
  ];

  test.each(PATTERNS)("%p is decided by work that the lengths of both bound, thousands of times", (pattern) => {
    const { matches, reaches } = selectGlob(pattern);
    for (let round = 0; round < 200; round++) expect(PATHS.filter(matches)).toEqual([]);
    for (const path of PATHS) expect(typeof reaches(path)).toBe("boolean");
  });
});
