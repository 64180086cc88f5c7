import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeText } from "../../../lib/cli/escape.ts";

/** Everything that a terminal, a log or the direction of writing reacts to. */
const DANGEROUS = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

describe("escapeText()", () => {
  test.each([
    ["clear the screen", "\u001b[2J", "\\u{1b}[2J"],
    ["colour", "\u001b[31mred\u001b[0m", "\\u{1b}[31mred\\u{1b}[0m"],
    ["set the title", "\u001b]0;title\u0007", "\\u{1b}]0;title\\u{7}"],
    ["the same by C1", "\u009b2J \u009d0;x\u009c \u0090q\u0085", "\\u{9b}2J \\u{9d}0;x\\u{9c} \\u{90}q\\u{85}"],
    ["a line of its own", "a\r\nb\nc\u2028d\u2029e\vf\fg", "a\\u{d}\\u{a}b\\u{a}c\\u{2028}d\\u{2029}e\\u{b}f\\u{c}g"],
    ["backspace and delete", "a\b\b\u007f", "a\\u{8}\\u{8}\\u{7f}"],
    ["NUL and tab", "\0\t", "\\u{0}\\u{9}"],
    ["another direction", "\u202egpj.exe\u202c", "\\u{202e}gpj.exe\\u{202c}"],
    ["an isolate", "\u2066x\u2069\u200f\u200e\u061c", "\\u{2066}x\\u{2069}\\u{200f}\\u{200e}\\u{61c}"],
    ["half a character", "\ud800 \udc00", "\\u{d800} \\u{dc00}"],
  ])("defuses: %s", (_, text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  test.each(["", "plain", "é ü 日本語 🦊 👨‍👩‍👧", "a\\b", "C:\\dir", "50 % [x] {y} $z", "\u05d0\u05d1 \u0645"])(
    "leaves %p as it is",
    (text) => {
      expect(escapeText(text)).toBe(text);
    },
  );

  test("leaves nothing dangerous of any text, and harmless text alone", () => {
    const anything = fc.string({ unit: fc.nat(0x30_00).map((code) => String.fromCodePoint(code)) });
    fc.assert(
      fc.property(fc.oneof(anything, fc.string({ unit: "binary" })), (text) => {
        const escaped = escapeText(text);
        expect(DANGEROUS.test(escaped)).toBe(false);
        if (!DANGEROUS.test(text)) expect(escaped).toBe(text);
        expect(escapeText(escaped)).toBe(escaped);
      }),
      { numRuns: 1_000 },
    );
  });
});
