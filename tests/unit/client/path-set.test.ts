import { describe, expect, test } from "bun:test";
import { PathSet } from "../../../lib/client/path-set.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { codeOf } from "../../support/fault.ts";

const pathOf = (index: number) => `a folder with a long name/${"x".repeat(100)}/file ${index}.txt`;

describe("PathSet", () => {
  test("knows what it was given, and nothing else", () => {
    const set = new PathSet(digest64);
    for (let index = 0; index < 20_000; index += 2) expect(set.add(pathOf(index))).toBe(true);
    for (let index = 0; index < 20_000; index++) expect(set.add(pathOf(index))).toBe(index % 2 === 1);
    expect(set.size).toBe(20_000);
  });

  test("tells paths apart that only an encoding could confuse", () => {
    const set = new PathSet(digest64);
    for (const path of ["é", "e\u0301", "é/", "", "/", "\u{1f98a}", "x".repeat(4096)]) expect(set.add(path)).toBe(true);
  });

  test("takes less than 20 bytes for each of a million paths, however long they are", () => {
    const set = new PathSet(digest64);
    for (let index = 0; index < 1_000_000; index++) set.add(pathOf(index));
    expect(set.size).toBe(1_000_000);
    expect(set.bytes / set.size).toBeLessThan(20);
  });

  test("holds no more than it may, and says so", async () => {
    const set = new PathSet(digest64, 1_000);
    for (let index = 0; index < 1_000; index++) set.add(pathOf(index));
    expect(set.add(pathOf(5))).toBe(false);
    expect(await codeOf(async () => set.add(pathOf(1_000)))).toBe("TOO_MANY_ENTRIES");
  });
});
