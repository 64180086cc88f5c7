import { expect, test } from "bun:test";
import { copyName, copyPath } from "../../../lib/storage/copy-name.ts";

const bytesOf = (name: string) => new TextEncoder().encode(name).length;

test.each([
  ["report.pdf", 1, "report (2).pdf"],
  ["report.pdf", 9, "report (10).pdf"],
  ["archive.tar.gz", 1, "archive.tar (2).gz"],
  ["README", 1, "README (2)"],
  // The dot in front hides it: it begins no extension.
  [".bashrc", 1, ".bashrc (2)"],
  [".config.json", 1, ".config (2).json"],
  ["ends with.", 1, "ends with (2)."],
  [`a.${"x".repeat(31)}`, 1, `a (2).${"x".repeat(31)}`],
  [`a.${"x".repeat(32)}`, 1, `a.${"x".repeat(32)} (2)`],
])("the name of a copy keeps the extension: %s, %i", (name, copy, expected) => {
  expect(copyName(name, copy)).toBe(expected);
});

test("a name that is too long for its number loses whole characters of its stem", () => {
  const ascii = copyName(`${"a".repeat(251)}.txt`, 1);
  expect(ascii).toBe(`${"a".repeat(247)} (2).txt`);
  expect(bytesOf(ascii)).toBe(255);
  // Four bytes each, and two UTF-16 units: none is cut in two.
  expect(copyName(`${"🦆".repeat(62)}.txt`, 1)).toBe(`${"🦆".repeat(61)} (2).txt`);
});

test("a copy lies beside its original", () => {
  expect(copyPath("docs/v1.0/notes", 1)).toBe("docs/v1.0/notes (2)");
  expect(copyPath("notes.md", 2)).toBe("notes (3).md");
});
