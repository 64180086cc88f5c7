import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { escapeText, toJson } from "../../../lib/cli/escape.ts";

/** Everything that a terminal, a log or the direction of writing reacts to, and what can't be seen. */
const DANGEROUS =
  /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u00ad\u180e\u200b\u2060-\u2064\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

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

  test.each([
    ["a zero width space", "a\u200bb", "a\\u{200b}b"],
    ["a soft hyphen and a byte order mark", "\ufeffa\u00adb", "\\u{feff}a\\u{ad}b"],
    ["tags", "a\u{e0041}\u{e007f}", "a\\u{e0041}\\u{e007f}"],
  ])("shows: %s", (_, text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  test("leaves nothing dangerous of any text, and harmless text alone", () => {
    const code = fc.oneof(
      fc.nat(0x32_00),
      fc.integer({ min: 0xfe_00, max: 0xff_ff }),
      fc.integer({ min: 0xd_ff00, max: 0xe_0100 }),
    );
    const anything = fc.string({ unit: code.map((point) => String.fromCodePoint(point)) });
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

test("toJson() is as safe, and is read back as what it was, beyond the first plane as well", () => {
  const text = "a\u001b\u202e\u200b\u{e0041}🦊\ud800";
  expect(toJson({ text })).toBe('{"text":"a\\u001b\\u202e\\u200b\\udb40\\udc41🦊\\ud800"}');
  expect(JSON.parse(toJson({ text }))).toEqual({ text });
});
