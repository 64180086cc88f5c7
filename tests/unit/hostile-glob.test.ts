import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CommError } from "../../lib/errors.ts";
import { isGlob } from "../../lib/glob.ts";
import { selectGlob } from "../../lib/selection.ts";
import { naiveMatch } from "../support/naive-glob.ts";

/** The selection, or undefined when the pattern is refused; anything else passes. */
function selectionOf(glob: string) {
  try {
    return selectGlob(glob);
  } catch (error) {
    if (error instanceof CommError && ["BAD_PARAMS", "BAD_PATH"].includes(error.code)) return undefined;
    throw error;
  }
}

describe("a pattern, well formed or not", () => {
  const token = fc.constantFrom(
    ..."*?[]{},!^-\\/.ab\0\n",
    "**",
    "**/",
    "[a",
    "[!",
    "{a,",
    "\ud800",
    "\udc00",
    "é",
    "😀",
    "..",
  );
  const pattern = fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join(""));

  test("is refused or decided, whatever it is and whatever the path is", () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(pattern, fc.string({ unit: "binary" })), fc.oneof(pattern, fc.string()), (glob, path) => {
        const selection = selectionOf(glob);
        if (selection === undefined) refused++;
        else expect([typeof selection.matches(path), typeof selection.reaches(path)]).toEqual(["boolean", "boolean"]);
      }),
      { numRuns: 5_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test("begins in a folder of plain names, which it has written out", () => {
    fc.assert(
      fc.property(pattern.filter(isGlob), (glob) => {
        const { top = "" } = selectionOf(glob) ?? {};
        expect(isGlob(top)).toBe(false);
        if (top !== "") expect(glob).toStartWith(`${top}/`);
      }),
      { numRuns: 5_000 },
    );
  });

  test("matches what the naive matcher of the tests matches: what means something to Bun alone means nothing", () => {
    const part = fc.constantFrom(
      ..."*?/ab.-é🦊+(|)!^$#~'\":;=&%<>_@ 0",
      ...["**", "[a-c]", "[!a]", "[^-b]", "[]]", "[[]", "[{,}]", "[--0]", "[!.-0]", "[*?]"],
      ...["{a,b}", "{a,}", "{,/b}", "{**/a,b}", "{a/,}", "{*,a}", "{a,{b,*}/c}", "@(a)", "{1..3,2}", "!(a)", "*(a)"],
    );
    const glob = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));
    const name = fc
      .constantFrom(..."abcé🦊][{},*?+(|!@123^$#~:=_ 0-.x", "ab", "1..3", "(a)")
      .filter((text) => text !== ".");
    const path = fc
      .array(fc.array(name, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
      .map((names) => names.map((letters) => letters.join("")).join("/"));
    let [taken, matching] = [0, 0];
    fc.assert(
      fc.property(glob.filter(isGlob), fc.array(path, { minLength: 3, maxLength: 10 }), (text, paths) => {
        const selection = selectionOf(text);
        if (selection === undefined) return;
        taken++;
        for (const each of paths) {
          const isMatch = naiveMatch(text, each);
          if (isMatch) matching++;
          expect({ each, isMatch: selection.matches(each) }).toEqual({ each, isMatch });
        }
      }),
      { numRuns: 5_000 },
    );
    expect(Math.min(taken, matching)).toBeGreaterThan(100);
  });
});
