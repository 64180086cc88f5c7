import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { flagHint, parseShellLine } from "../../../lib/cli/client/shell-line.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";

const COMMANDS = ["list", "get", "exit"];
const parse = (line: string) => parseShellLine(line, COMMANDS);
const command = (name: string, ...words: string[]) => ({ kind: "command" as const, name, words });
const text = (content: string) => ({ kind: "text" as const, text: content });

describe("parseShellLine()", () => {
  test.each(["", " ", "\t  \r", "\u00a0"])("%j is nothing", (line) => {
    expect(parse(line)).toEqual({ kind: "nothing" });
  });

  test.each([
    ["list", command("list")],
    ["  LIST  ", command("list")],
    ["Get a.txt", command("get", "a.txt")],
    ["get   a.txt", command("get", "a.txt")],
    ["get\ta.txt", command("get", "a.txt")],
    ["get two words.txt", command("get", "two words.txt")],
    ["get it's fine", command("get", "it's fine")],
    ['get a "b" c', command("get", 'a "b" c')],
    ["get -rf --json", command("get", "-rf --json")],
    ["get C:\\dir\\file", command("get", "C:\\dir\\file")],
    ["list **/*.txt", command("list", "**/*.txt")],
  ])("%j takes what follows the command as one argument", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  test.each([
    ['get "a.txt"', command("get", "a.txt")],
    ['get "two words" "three more words"', command("get", "two words", "three more words")],
    ['get "a" b c', command("get", "a", "b", "c")],
    ['get   "a"    "b"', command("get", "a", "b")],
    ['get " a "', command("get", " a ")],
    ['get ""', command("get", "")],
    ['get "say \\"hi\\"" b', command("get", 'say "hi"', "b")],
    ['get "back\\\\slash"', command("get", "back\\slash")],
    ['get "kept \\n"', command("get", "kept \\n")],
  ])("%j has several arguments in quotes", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  test.each(['get "a', 'get "', 'get "a" "b', 'get "a\\"', 'get "a"b', 'get "a" b"c" "d'])(
    "%j has a quote that is not closed where it should be",
    (line) => {
      expect(() => parse(line)).toThrow(UsageError);
    },
  );

  test.each([
    ["hello", text("hello")],
    ["  hello there  ", text("hello there")],
    ["listen", text("listen")],
    ["list,", text("list,")],
    ['"list"', text('"list"')],
    ["getaway list", text("getaway list")],
    ["constructor", text("constructor")],
    ["__proto__ x", text("__proto__ x")],
    ['an "open quote', text('an "open quote')],
  ])("%j is free text, as it was typed", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  test("takes any line, but for open quotes, and loses nothing of free text", () => {
    const typed = fc.string({ unit: fc.constantFrom('"', "\\", " ", "a", "get", "list", "é") });
    fc.assert(
      fc.property(typed, (line) => {
        let parsed: ReturnType<typeof parse>;
        try {
          parsed = parse(line);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect(line).toContain('"');
          return;
        }
        if (parsed.kind === "text") expect(parsed.text).toBe(line.trim());
        if (parsed.kind === "nothing") expect(line.trim()).toBe("");
      }),
      { numRuns: 2_000 },
    );
  });

  test("reads back any arguments that were quoted", () => {
    const quote = (word: string) => `"${word.replace(/["\\]/g, "\\$&")}"`;
    const word = fc.string({ unit: fc.constantFrom('"', "\\", " ", "a", "é", "*") });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(parse(`get ${words.map(quote).join(" ")}`)).toEqual(command("get", ...words));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("flagHint()", () => {
  test.each([
    ["get a b.txt --overwrite", 'get "a b.txt" --overwrite'],
    ["get a -o /dev/null", 'get "a" -o /dev/null'],
    ["get a -o", 'get "a" -o'],
  ])("tells how %j is written with a flag", (line, better) => {
    expect(flagHint(parse(line))).toBe(`Put the name in quotes to add flags: ${better}`);
  });

  test.each(["get a", "get a - b.txt", "get a -b.txt", "get --overwrite", 'get "a --b"  -x', "hello --you", "get"])(
    "says nothing of %j",
    (line) => {
      expect(flagHint(parse(line))).toBeUndefined();
    },
  );
});
