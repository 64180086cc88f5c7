import { expect, test } from "bun:test";
import fc from "fast-check";
import { StorageError } from "../../lib/errors.ts";
import { baseName, checkPath, pathFault } from "../../lib/path.ts";

/** PROTOCOL.md, "Methods", read naively: character by character, no regular expression, nothing of lib. */
function isPath(text: string, hasNames = true): boolean {
  const bytes = Buffer.from(text);
  if (bytes.toString() !== text) return false; // half a surrogate pair
  if (bytes.length > 4_096) return false;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
    if (character === "\\" && !hasNames) return false;
  }
  const first = text.charAt(0).toLowerCase();
  if (!hasNames && first >= "a" && first <= "z" && text.charAt(1) === ":") return false;
  if (text.split("/").length > 128) return false;
  for (const component of text.split("/")) {
    if (component === "" || component === "." || component === "..") return false;
    if (Buffer.from(component).length > 255) return false;
  }
  return true;
}

const plain = [
  "a",
  "b.txt",
  " ",
  "-",
  "...",
  "..a",
  "a..",
  "é",
  "e\u0301",
  "中",
  "😀",
  "\u200b",
  "\u2028",
  "%2e",
  ":",
  "c:",
];
const doubtful = [
  "/",
  "//",
  ".",
  "..",
  "\\",
  "\0",
  "\n",
  "\x1b",
  "\x7f",
  "\x85",
  "\x9f",
  "\xa0",
  "C:",
  "z:",
  "\ud800",
  "\udc00",
];
const long = [
  "x".repeat(255),
  "x".repeat(256),
  "é".repeat(127),
  "é".repeat(128),
  "中".repeat(85),
  `${"y".repeat(254)}/`,
];

/** A path of so many bytes. */
const pathOf = (length: number) =>
  `${"x".repeat(99)}/`
    .repeat(50)
    .slice(0, length - 1)
    .padEnd(length, "z");
/** A path of so many components. */
const deepPath = (length: number) => Array.from({ length }, () => "d").join("/");

const components = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...plain) }, fc.constantFrom(...long)), {
  minLength: 1,
  maxLength: 20,
});
const candidate = fc.oneof(
  components.map((parts) => parts.join("/")),
  fc.array(fc.constantFrom(...plain, ...doubtful, "/", "/"), { maxLength: 8 }).map((parts) => parts.join("")),
  fc
    .tuple(components, fc.constantFrom(...doubtful), fc.nat())
    .map(([parts, bad, at]) => parts.with(at % parts.length, bad).join("/")),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.integer({ min: 4_090, max: 4_100 }).map(pathOf),
  fc.integer({ min: 120, max: 136 }).map(deepPath),
);

test("checkPath() accepts exactly what a naive reading of PROTOCOL.md accepts, and changes nothing", () => {
  let [accepted, rejected] = [0, 0];
  fc.assert(
    fc.property(candidate, (text) => {
      expect(pathFault(text) === undefined).toBe(isPath(text));
      expect(pathFault(text, "plain") === undefined).toBe(isPath(text, false));
      if (isPath(text)) {
        accepted++;
        expect(checkPath(text)).toBe(text);
      } else {
        rejected++;
        expect(() => checkPath(text)).toThrow(
          expect.objectContaining({ name: StorageError.prototype.constructor.name, code: "BAD_PATH" }),
        );
      }
    }),
    { numRuns: 3_000, examples: [[""], ["a"], ["."], [".."], ["/a"], ["a/"], ["C:a"], ["a/C:"], ["x".repeat(4_096)]] },
  );
  expect(Math.min(accepted, rejected)).toBeGreaterThan(500);
});

test("checkPath() takes a path of 4096 bytes and none longer", () => {
  expect([4_095, 4_096, 4_097].map((length) => pathFault(pathOf(length)) === undefined)).toEqual([true, true, false]);
  expect([4_095, 4_096, 4_097].map((length) => isPath(pathOf(length)))).toEqual([true, true, false]);
});

test("checkPath() takes a path of 128 components and none deeper, and says so", () => {
  expect([127, 128, 129].map((length) => pathFault(deepPath(length)))).toEqual([
    undefined,
    undefined,
    "it has more than 128 components",
  ]);
});

test("baseName() is the last component of every path", () => {
  fc.assert(
    fc.property(components, (parts) => {
      expect(baseName(parts.join("/"))).toBe(parts.join("/").split("/").at(-1) as string);
    }),
  );
});
