import { describe, expect, test } from "bun:test";
import { foldPath } from "../../../lib/fold.ts";
import { GivenNames } from "../../../lib/transfer/given-names.ts";

describe("the names that a transfer has given", () => {
  test.each([
    ["IMG_1.JPG", "img_1.jpg"],
    ["Trip/a", "trip/A"],
    ["x", "x."],
    ["docs/x.. ", "docs/x"],
    ["docs./x", "docs/x"],
    ["caf\u00e9", "CAFE\u0301"],
    ["stra\u00dfe", "STRASSE"],
  ])("%p puts %p in question, and the other way round", (one, other) => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      const names = new GivenNames();
      expect(names.isInQuestion(second)).toBe(false);
      names.add(first);
      expect(names.isInQuestion(first)).toBe(false);
      expect(names.isInQuestion(second)).toBe(true);
      expect(names.isInQuestion(`${second}2`)).toBe(false);
    }
  });

  test("are all known, however many they are up to a million, and none that was not given", () => {
    const names = new GivenNames();
    const count = 200_000;
    for (let index = 0; index < count; index++) names.add(`folder/File ${index}.txt`);
    let inQuestion = 0;
    let confused = 0;
    for (let index = 0; index < count; index++) {
      if (names.isInQuestion(`folder/file ${index}.txt`)) inQuestion++;
      if (names.isInQuestion(`folder/File ${index}.txt`)) confused++;
    }
    expect(inQuestion).toBe(count);
    // Of two digests of 32 bits that are one by chance, the disk is asked.
    expect(confused).toBeLessThan(count / 1_000);
  });
});

test("paths in plain letters are folded as all others are", () => {
  for (const path of ["A/b.C", "a. /b", "x.", "Ä/x", "a b/c d"]) {
    expect(foldPath(foldPath(path))).toBe(foldPath(path));
    expect(foldPath(`${path}é`)).toBe(`${foldPath(`${path}é`)}`);
  }
  expect(foldPath("A. /B.")).toBe("a/b");
  expect(foldPath("A/B.TXT")).toBe("a/b.txt");
});
