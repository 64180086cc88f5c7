import { describe, expect, test } from "bun:test";
import { formatSum, parseSum } from "../../../lib/cli/client/sum-line.ts";

const SHA = "0123456789abcdef".repeat(4);

describe("formatSum()", () => {
  test("is a line of sha256sum, which escapes backslashes and says so in front", () => {
    expect(formatSum("docs/a b.txt", SHA)).toBe(`${SHA}  docs/a b.txt`);
    expect(formatSum("a\\b\\", SHA)).toBe(`\\${SHA}  a\\\\b\\\\`);
  });

  test("is read back, whatever the name", () => {
    for (const name of ["a", " a ", "*a", "(a) = b", "a\\nb", "\\\\", "ü\u200f", "SHA256 (a"])
      expect(parseSum(formatSum(name, SHA))).toEqual({ name, sha256: SHA });
  });
});

describe("parseSum()", () => {
  test.each([
    ["of sha256sum", `${SHA}  a  b`, "a  b"],
    ["of a file read as binary", `${SHA} *a`, "a"],
    ["in upper case", `${SHA.toUpperCase()}  a`, "a"],
    ["of the BSDs", `SHA256 (a (1)) = ${SHA}`, "a (1)"],
    ["of the BSDs, escaped", `\\SHA256 (a\\\\b) = ${SHA}`, "a\\b"],
    ["with an escaped line feed", `\\${SHA}  a\\nb\\rc\\\\n`, "a\nb\rc\\n"],
    ["with a backslash that escapes nothing", `${SHA}  a\\nb`, "a\\nb"],
  ])("reads a line %s", (_, line, name) => {
    expect(parseSum(line)).toEqual({ name, sha256: SHA });
  });

  test.each([
    "a",
    `${SHA} a`,
    `${SHA}  `,
    `${SHA.slice(1)}  a`,
    `${SHA}0  a`,
    `\\${SHA}  a\\tb`,
    `\\${SHA}  a\\`,
    `SHA512 (a) = ${SHA}`,
    `  ${SHA}  a`,
  ])("has no use for %p", (line) => {
    expect(parseSum(line)).toBeUndefined();
  });

  test("passes over comments", () => {
    expect(parseSum(`# ${SHA}  a`)).toBe("comment");
  });
});
