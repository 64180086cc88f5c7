import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatCode, looksLikeCode, parseCode } from "../../../lib/protocol/one-time-code.ts";

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((each) => each.join(""));
const code = fc.record({ plate: digits(3), secret: digits(6) });

/** The digits, at their places. */
const typed = (text: string) => [...text.replaceAll("-", "")];

test("every code is ten digits in three groups, and parses to itself", () => {
  fc.assert(
    fc.property(code, (each) => {
      const text = formatCode(each);
      expect(text).toMatch(/^\d{3}-\d{3}-\d{4}$/);
      expect(parseCode(text)).toEqual(each);
    }),
  );
});

test("the example of PROTOCOL.md", () => {
  expect(parseCode("385-061-7726")).toEqual({ plate: "385", secret: "061772" });
});

test("any single wrong digit is found", () => {
  fc.assert(
    fc.property(code, fc.nat(9), fc.integer({ min: 1, max: 9 }), (each, place, by) => {
      const wrong = typed(formatCode(each)).map((digit, at) =>
        at === place ? String((Number(digit) + by) % 10) : digit,
      );
      expect(() => parseCode(wrong.join(""))).toThrow(expect.objectContaining({ code: "MALFORMED" }));
    }),
  );
});

test("any two neighbours that were swapped are found", () => {
  fc.assert(
    fc.property(code, fc.nat(8), (each, place) => {
      const all = typed(formatCode(each));
      const swapped = [...all.slice(0, place), all[place + 1], all[place], ...all.slice(place + 2)];
      fc.pre(all[place] !== all[place + 1]);
      expect(() => parseCode(swapped.join(""))).toThrow(expect.objectContaining({ code: "MALFORMED" }));
    }),
  );
});

test.each(["3850617726", "385 061 7726", " 385-061-7726\n", "385.061.7726", "385–061–7726", "３８５-０６１-７７２６"])(
  "it may be typed as %p",
  (text) => {
    expect(looksLikeCode(text)).toBe(true);
    expect(parseCode(text)).toEqual({ plate: "385", secret: "061772" });
  },
);

describe("no code is", () => {
  test.each([
    "",
    "385-061-772",
    "385-061-77262",
    "385-O61-7722",
    "٣٨٥٠٦١٧٧٢٦",
    "3850617726x",
    "-3850617726e0",
    "385/061/7722",
  ])("%p", (text) => expect(() => parseCode(text)).toThrow(expect.objectContaining({ code: "MALFORMED" })));
});

test("an error does not quote the code", () => {
  expect(() => parseCode("385-061-7727")).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining("061") }),
  );
});

test("an invite or a name is not meant as a code", () => {
  for (const text of ["csinvite1_eyJ", "lab", "12ab", "12", ""]) expect(looksLikeCode(text)).toBe(false);
});
