import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { answerBash, readBashLine } from "../../../lib/cli/completion/bash-line.ts";

const BREAKS = " \t\n\"'><=;|&(:";

describe("a line of bash", () => {
  test.each([
    ["prog get a", ["get", "a"], "", ""],
    ["prog get ", ["get", ""], "", ""],
    ["prog get 'a b' \"c d", ["get", "a b", "c d"], '"', ""],
    ["prog get a\\ b\\", ["get", "a b"], "", ""],
    ['prog "a\\"b\\c" x', ['a"b\\c', "x"], "", ""],
    ["prog --server=la", ["--server=la"], "", "--server="],
    ["prog -s host:50", ["-s", "host:50"], "", "host:"],
    ["prog get 'it'\\''s", ["get", "it's"], "'", "it'"],
  ] as const)("%s", (line, words, quote, kept) => {
    expect(readBashLine(line, BREAKS)).toMatchObject({ words: [...words], quote, ...(kept && { kept }) });
  });

  test.each(["prog get a > fi", "prog get $'a", 'prog get $"a', "prog; ls", "prog $(ls"])("none is %s", (line) => {
    expect(readBashLine(line, BREAKS)).toBeUndefined();
  });

  test("has words that read as they were completed, whatever their characters", () => {
    const word = fc.string({ unit: fc.constantFrom(..."ab$`\"'\\!;|&<>(){}[]*?~#=: ü😀-"), minLength: 1 });
    fc.assert(
      fc.property(word, fc.constantFrom("", "'", '"'), (name, quote) => {
        const line = readBashLine(`prog get ${quote}`, BREAKS);
        if (line === undefined) throw new Error("no line");
        const [text] = answerBash([{ word: name }], line).words;
        if (text === undefined) return;
        expect(readBashLine(`prog get ${quote}${text}${quote} x`, BREAKS)?.words).toEqual(["get", name, "x"]);
      }),
    );
  });

  test("with several completions gets what they have in common first, and no space after it", () => {
    const line = readBashLine("prog get a", BREAKS);
    if (line === undefined) throw new Error("no line");
    const two = [{ word: "a b" }, { word: "a $" }];
    expect(answerBash(two, line)).toEqual({ words: ["a\\ "], isIncomplete: true });
    const further = readBashLine("prog get a\\ ", BREAKS);
    if (further === undefined) throw new Error("no line");
    expect(answerBash(two, further)).toEqual({ words: ["a\\ b", "a\\ \\$"], isIncomplete: false });
  });
});
