import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isGlob, selectGlob } from "../../../lib/storage/glob.ts";

describe("a pattern that is not well formed", () => {
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

  test("is decided, whatever it is and whatever the path is", () => {
    fc.assert(
      fc.property(fc.oneof(pattern, fc.string({ unit: "binary" })), fc.oneof(pattern, fc.string()), (glob, path) => {
        const selection = selectGlob(glob);
        expect([typeof selection.matches(path), typeof selection.enter(path)]).toEqual(["boolean", "boolean"]);
      }),
      { numRuns: 5_000 },
    );
  });

  test("begins in a folder of plain names, which it has written out", () => {
    fc.assert(
      fc.property(pattern.filter(isGlob), (glob) => {
        const { top } = selectGlob(glob);
        expect(isGlob(top)).toBe(false);
        if (top !== "") expect(glob).toStartWith(`${top}/`);
      }),
      { numRuns: 5_000 },
    );
  });
});
