import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { pathFault } from "../../../lib/path.ts";
import { fromLocalName, isMapped, toLocalName } from "../../../lib/storage/local/names/local-names.ts";

const special = fc.constantFrom(
  ...'<>:"|?*%. /AaFf0129%%..\\\\',
  "%2E",
  "%25",
  "con",
  "CON",
  "nul",
  "com1",
  "conin$",
  "CONOUT$",
  "lpt¹",
  "aux.",
  "é",
  "🦊",
);
const name = fc
  .array(fc.oneof(special, fc.string({ unit: "grapheme", maxLength: 3 })), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""))
  // The first component of a path may not look like a drive: what is tried here may stand anywhere.
  .filter((text) => !text.includes("/") && pathFault(`folder/${text}`) === undefined);

const FORBIDDEN = /[<>:"|?*\\/]|[. ]$/;
// A dot of the expression is any character: U+2028 as well.
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *([.:].*)?$/is;

describe("names on Windows", () => {
  test("are reversible, all of them", () => {
    fc.assert(
      fc.property(name, (text) => {
        expect(fromLocalName(toLocalName(text, "win32"), "win32")).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test("are such as Windows takes, whatever the name is", () => {
    fc.assert(
      fc.property(name, (text) => {
        const local = toLocalName(text, "win32");
        expect(local).not.toMatch(FORBIDDEN);
        expect(local).not.toMatch(DEVICE);
      }),
      { numRuns: 5_000 },
    );
  });

  test("are different for different names", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(toLocalName(one, "win32") === toLocalName(other, "win32")).toBe(one === other);
      }),
      { numRuns: 5_000 },
    );
  });

  // A file that somebody else made there: what is listed must be what is opened.
  test("that are there already can be reached by what they are listed as", () => {
    const local = name.filter((text) => !FORBIDDEN.test(text) && !DEVICE.test(text));
    fc.assert(
      fc.property(local, (text) => {
        expect(toLocalName(fromLocalName(text, "win32"), "win32")).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["report.pdf", "report.pdf"],
    ["100%", "100%"],
    ["a:b", "a%3Ab"],
    ["what?", "what%3F"],
    ["end.", "end%2E"],
    ["end ", "end%20"],
    ["con", "%63on"],
    ["NUL.txt", "%4EUL.txt"],
    ["CON .txt", "%43ON .txt"],
    ["conout$", "%63onout$"],
    ["%3A", "%253A"],
    ["a\\b", "a%5Cb"],
    ["..\\..\\x", "..%5C..%5Cx"],
    ["C:x", "C%3Ax"],
    ["%5C", "%255C"],
    ["a\\", "a%5C"],
    [".", "."],
  ])("%p is %p there", (text, local) => {
    expect(toLocalName(text, "win32")).toBe(local);
    expect(isMapped(`docs/${text}/x`, "win32")).toBe(text !== local);
  });
});

test("names elsewhere are as they are", () => {
  fc.assert(
    fc.property(name, fc.constantFrom("linux", "darwin"), (text, platform) => {
      expect([toLocalName(text, platform), fromLocalName(text, platform)]).toEqual([text, text]);
      expect(isMapped(text, platform)).toBe(false);
    }),
  );
});
