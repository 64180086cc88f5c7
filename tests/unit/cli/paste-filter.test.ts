import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PasteFilter } from "../../../lib/cli/terminal/paste-filter.ts";
import { PastedText } from "../../../lib/cli/terminal/pasted-text.ts";

const [BEGIN, END] = ["\u001b[200~", "\u001b[201~"];

/** What is read of these pieces, which come one after the other. */
function read(...pieces: (string | Uint8Array)[]): string {
  const filter = new PasteFilter();
  const taken = pieces.map((piece) => filter.take(typeof piece === "string" ? new TextEncoder().encode(piece) : piece));
  return new TextDecoder().decode(Buffer.concat(taken));
}

describe("what a terminal sends", () => {
  test("passes as it is outside of a paste", () => {
    const keys = "ab\u0003\u001b[A\u001b\u007f\t\r\n\u001b[200\u001b[2~文";
    expect(read(keys)).toBe(keys);
  });

  test("has no keys in a paste: text and line feeds remain", () => {
    expect(read(`x${BEGIN}ls\r\nrm -r a\r\u0003\u0004\u001b[A\tb\n\u007f${END}\r`)).toBe(
      `x${BEGIN}ls\nrm -r a\n[A b\n${END}\r`,
    );
  });

  test.each([`\u001b[201`, `\u001b`, `\u001b[\u001b[2`, `\u001b[201x`])("ends a paste after %j as well", (tail) => {
    const clean = `${BEGIN}a${tail.replaceAll("\u001b", "")}${END}\u0003`;
    expect(read(`${BEGIN}a${tail}${END}\u0003`)).toBe(clean);
  });

  test("is read in the same way, however it is cut", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "\u001b", "[", "2", "0", "1", "~", "\r", "\n", "\u0003", "文"),
    });
    fc.assert(
      fc.property(text, text, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), (pasted, typed, cuts) => {
        const whole = new TextEncoder().encode(`a${BEGIN}${pasted}${END}${typed}`);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < whole.length; ) {
          const [cut = 1] = [...cuts.take(1)];
          pieces.push(whole.subarray(at, at + cut));
          at += cut;
        }
        expect(read(...pieces)).toBe(read(whole));
      }),
    );
  });

  test("never has a control character between the marks, except line feeds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (pasted) => {
        const [, inside = ""] = /^\u001b\[200~(.*?)(?:\u001b\[201~|$)/s.exec(read(`${BEGIN}${pasted}${END}`)) ?? [];
        expect(inside).not.toMatch(/[^\P{Cc}\n]/u);
      }),
    );
  });
});

describe("the text of a paste", () => {
  const text = (...parts: string[]) => {
    const paste = new PastedText();
    for (const part of parts) paste.add(part);
    return paste;
  };

  test("has neither the line feeds at its end nor C1 controls", () => {
    expect(text("a\n", "b\n\n").text).toBe("a\nb");
    expect(text("a\u009b31mb").text).toBe("a31mb");
    expect(text("ls\n").text).toBe("ls");
  });

  test("is cut at 64 Ki characters", () => {
    const paste = text("a".repeat(64 * 1024), "b", "c");
    expect([paste.text.length, paste.text.at(-1)]).toEqual([64 * 1024, "a"]);
  });
});
