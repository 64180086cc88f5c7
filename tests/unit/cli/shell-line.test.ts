import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hintFor } from "../../../lib/cli/client/shell-hints.ts";
import { parseShellLine } from "../../../lib/cli/client/shell-line.ts";
import { unquotedName } from "../../../lib/cli/client/shell-words.ts";
import { EXIT } from "../../../lib/cli/exit-codes.ts";
import { UsageError } from "../../../lib/cli/usage-error.ts";

const COMMANDS = {
  list: { follows: "words", usage: "list [GLOB]" },
  get: { follows: "words", usage: "get PATH" },
  mkdir: { follows: "words", usage: "mkdir PATH…" },
  remove: { follows: "words", usage: "remove PATH…" },
  status: { follows: "flags", usage: "status" },
  exit: { follows: "nothing", usage: "exit" },
  send: { follows: "text", usage: "send TEXT" },
  cancel: { follows: "numbers", usage: "cancel N…|all" },
} as const;
const parse = (line: string) => parseShellLine(line, COMMANDS);
const text = (content: string) => ({ kind: "text" as const, text: content });

/** The command of a line, and its words; those in quotes are in arrays. */
function command(line: string): unknown {
  const parsed = parse(line);
  if (parsed.kind !== "command") throw new Error(`${line} is no command`);
  return [parsed.name, ...parsed.words.map(({ text, isQuoted }) => (isQuoted ? [text] : text))];
}

describe("parseShellLine()", () => {
  test.each(["", " ", "\t  \r", "\u00a0"])("%j is nothing", (line) => {
    expect(parse(line)).toEqual({ kind: "nothing" });
  });

  test.each([
    ["list", ["list"]],
    ["  LIST  ", ["list"]],
    ["Get a.txt", ["get", "a.txt"]],
    ["get   a.txt\tb", ["get", "a.txt", "b"]],
    ["get it's fine", ["get", "it's", "fine"]],
    ["get C:\\dir\\file", ["get", "C:\\dir\\file"]],
    ['get a "b c" d', ["get", "a", ["b c"], "d"]],
    ["get 'two words' \"three more words\"", ["get", ["two words"], ["three more words"]]],
    ["get 'say \"hi\"'", ["get", ['say "hi"']]],
    ['get " a " ""', ["get", [" a "], [""]]],
    ['get "say \\"hi\\"" b', ["get", ['say "hi"'], "b"]],
    ['get "back\\\\slash" "kept \\n"', ["get", ["back\\slash"], ["kept \\n"]]],
    ['get "two words.txt"/report.pdf', ["get", ["two words.txt/report.pdf"]]],
    ["get docs/\"a b\" docs/'c d'", ["get", "docs/a b", "docs/c d"]],
    ["get 'it''s' 'it'\\''s'", ["get", ["its"], ["it's"]]],
    ["get two\\ words.txt \\&", ["get", "two words.txt", "&"]],
    ['get --output="a b" ~/"a b"', ["get", "--output=a b", "~/a b"]],
    ["get it's bob's", ["get", "it's", "bob's"]],
    ['get "a"b', ["get", ["ab"]]],
    ["exit --now", ["exit", "--now"]],
    ["cancel -f", ["cancel", "-f"]],
    ["status --limit 7", ["status", "--limit", "7"]],
    ['send hello "you" \'there', ["send", ['hello "you" \'there']]],
    ['send "as one"', ["send", ["as one"]]],
    ["exit --help", ["exit", "--help"]],
    ["send --help", ["send", "--help"]],
  ])("%j has these words", (line, expected) => {
    expect(command(line)).toEqual(expected);
  });

  test.each(['get "a', 'get "', 'get "a" "b', 'get "a\\"', "get 'a", "get b 'a"])(
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
    ["exit now, thanks", text("exit now, thanks")],
    ["status is fine", text("status is fine")],
  ])("%j is free text, as it was typed", (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  test("takes any line, but for open quotes, and loses nothing of free text", () => {
    const typed = fc.string({ unit: fc.constantFrom('"', "'", "\\", " ", "a", "get", "list", "é") });
    fc.assert(
      fc.property(typed, (line) => {
        let parsed: ReturnType<typeof parse>;
        try {
          parsed = parse(line);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect(line).toMatch(/["']/);
          return;
        }
        if (parsed.kind === "text") expect(parsed.text).toBe(line.trim());
        if (parsed.kind === "nothing") expect(line.trim()).toBe("");
      }),
      { numRuns: 2_000 },
    );
  });

  test("reads back any words that were quoted", () => {
    const quote = (word: string) => `"${word.replace(/["\\]/g, "\\$&")}"`;
    const word = fc.string({ unit: fc.constantFrom('"', "'", "\\", " ", "a", "é", "*") });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(command(`get ${words.map(quote).join(" ")}`)).toEqual(["get", ...words.map((each) => [each])]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a line for the background", () => {
  test.each([
    ["get a.txt &", ["a.txt"], "a.txt"],
    ["get my notes.txt  &  ", ["my", "notes.txt"], "my notes.txt"],
    ["get &", [], ""],
    ['get "a b" c &', ["a b", "c"], '"a b" c'],
    ["get two.img&", ["two.img"], "two.img"],
    ['get "a b"&', ["a b"], '"a b"'],
  ])("%j has the words before its &", (line, words, rest) => {
    const parsed = parse(line);
    expect(parsed).toMatchObject({ kind: "command", isBackground: true, rest });
    expect(parsed.kind === "command" && parsed.words.map(({ text }) => text)).toEqual(words);
  });

  test.each(["get a\\&", "get this & that", 'get a "&"', "get a '&'", "get a & --overwrite"])("is not %j", (line) => {
    expect(parse(line)).not.toHaveProperty("isBackground");
  });

  test.each(["you & me &", "send hello &", "status &", "exit &"])("is not %j, which is a message", (line) => {
    expect(parse(line)).not.toHaveProperty("isBackground");
  });
});

describe("a command that takes numbers", () => {
  test.each(["cancel", "cancel 1", "CANCEL all", "cancel %1 2 3", "cancel --help"])("is one in %j", (line) => {
    expect(parse(line)).toMatchObject({ kind: "command", name: "cancel" });
  });

  test.each(["cancel the meeting", "cancel 1 please"])("is a message in %j", (line) => {
    expect(parse(line)).toEqual(text(line));
  });
});

describe("a name with blanks", () => {
  test.each([
    ["a b.txt", "a b.txt"],
    ["a b.txt --overwrite", "a b.txt"],
    ["-r a  b", "a  b"],
    ["it's mine", "it's mine"],
    ["a - b", "a - b"],
  ])("%j may be %j", (rest, name) => {
    expect(unquotedName(rest)).toBe(name);
  });

  test.each(["a", "", '"a b" c', "'a b'", 'a "b c"', "a --overwrite", "--overwrite"])("is none in %j", (rest) => {
    expect(unquotedName(rest)).toBeUndefined();
  });
});

describe("a hint", () => {
  const hint = (line: string, exit: number = EXIT.DONE) => hintFor(line, exit, COMMANDS, ["join", "use", "messages"]);

  test.each([
    ["exit now, thanks", "exit is a command only when it stands alone"],
    ["lsit", 'Did you mean the command "list"?'],
    ["gte a.txt", 'Did you mean the command "get"?'],
    ["Remov docs", 'Did you mean the command "remove"?'],
    ["who", 'Did you mean the command "status"?'],
    ["download a b", 'Did you mean the command "get"?'],
    ["whoami", 'Did you mean the command "status"?'],
    ["reget a", 'Did you mean the command "get"?'],
    ["cancel x", "The command is: cancel N…|all"],
    ["use lab", "commserver-client use"],
    ["messages", "commserver-client messages"],
    ["chmod 644 a", 'The shell has no command "chmod"'],
    ["lmkdir x", 'The shell has no command "lmkdir"; on this machine'],
    ["!ls", "runs no programs of this machine"],
  ])("follows %j", (line, words) => {
    expect(hint(line)).toContain(words);
  });

  test.each([
    "hello",
    "hi",
    "let us meet at noon",
    "lists of things are long",
    "exit",
    "get a",
    "constructor",
    "get this\nexit\nhello",
  ])("does not follow %j", (line) => expect(hint(line)).toBeUndefined());

  test("says how a name with blanks is written, when several words were not found", () => {
    expect(hint("get my old notes.txt", EXIT.NOT_FOUND)).toContain("stands in quotes");
    expect(hint("get my old notes.txt")).toBeUndefined();
    // A source and a destination.
    for (const line of ["get notes.txt", "get a b", 'get "a b" c d', 'get "a'])
      expect(hint(line, EXIT.NOT_FOUND)).toBeUndefined();
    for (const line of ["list | head", "get photos > x"])
      expect(hint(line, EXIT.NOT_FOUND)).toContain("no pipes and no redirections");
  });
});
