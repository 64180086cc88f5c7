import { describe, expect, test } from "bun:test";
import { type Completion, commonEnding, listQuestion, namesShown } from "../../../lib/cli/terminal/completion.ts";
import { SearchMode } from "../../../lib/cli/terminal/editor-modes.ts";
import { TabCompleter } from "../../../lib/cli/terminal/tab-completer.ts";

/** A line that is edited nowhere, what Tab prints and asks. */
function lineWith(text: string, complete: (text: string) => Promise<Completion> | Completion) {
  const line = {
    text,
    cursor: text.length,
    redraw(next: string, cursor: number) {
      Object.assign(line, { text: next, cursor });
    },
  };
  const printed: string[] = [];
  const asked: { question: string; onYes: () => void }[] = [];
  const tab = new TabCompleter({
    line: line as never,
    complete,
    size: () => ({ columns: 40, rows: 24 }),
    print: (lines) => void printed.push(lines),
    ask(question, onYes) {
      asked.push({ question, onYes });
      // The line shows the question meanwhile.
      const { text, cursor } = line;
      Object.assign(line, { text: "", cursor: 0 });
      queueMicrotask(() => Object.assign(line, { text, cursor }));
    },
  });
  return { line, tab, printed, asked };
}

const named = (typed: string, ...names: string[]): Completion => ({ names, typed });

describe("Tab", () => {
  test("completes as far as all names agree, and the next one shows them", async () => {
    const { line, tab, printed } = lineWith("get do", () => named(line.text.slice(4), "docs/a b", "docs/a c"));
    await tab.complete();
    expect(line.text).toBe("get docs/a ");
    expect(printed).toEqual([]);
    await tab.complete();
    expect(printed).toEqual(["a b  a c\n"]);
  });

  test("completes before the cursor, and keeps what is after it", async () => {
    const { line, tab } = lineWith("get do --overwrite", () => named("do", "docs/"));
    line.cursor = 6;
    await tab.complete();
    expect([line.text, line.cursor]).toEqual(["get docs/ --overwrite", 9]);
  });

  test("asks before it shows many names", async () => {
    const names = Array.from({ length: 143 }, (_, index) => `a long name of a file ${index}`);
    const { tab, printed, asked } = lineWith("get a long name of a file ", () =>
      named("a long name of a file ", ...names),
    );
    await tab.complete();
    await tab.complete();
    expect([printed, asked.map(({ question }) => question)]).toEqual([[], ["Show all 143 names? [y/N] "]]);
    // Also after a no.
    await tab.complete();
    expect(asked).toHaveLength(2);
    asked[1]?.onYes();
    expect(printed[0]).toContain("a long name of a file 0");
  });

  test("shows many names a window at a time, and asks before the next", async () => {
    const names = Array.from({ length: 50 }, (_, index) => `a long name of a file ${index}`);
    const { tab, printed, asked } = lineWith("get a", () => named("a long name of a file ", ...names));
    await tab.complete();
    await tab.complete();
    for (let page = 0; page < 3; page++) asked[page]?.onYes();
    expect(asked.map(({ question }) => question)).toEqual([
      "Show all 50 names? [y/N] ",
      "Show more? 27 lines are left. [y/N] ",
      "Show more? 4 lines are left. [y/N] ",
    ]);
    // A window has 24 rows, the last of which is the line itself.
    expect(printed.map((text) => text.split("\n").length - 1)).toEqual([23, 23, 4]);
    expect(printed.join("")).toBe(`${names.join("\n")}\n`);
  });

  test("does nothing when another key comes before the names, and never fails", async () => {
    const answer = Promise.withResolvers<Completion>();
    const { line, tab } = lineWith("get do", () => answer.promise);
    const completing = tab.complete();
    line.text = "get dox";
    answer.resolve(named("do", "docs/"));
    await completing;
    expect(line.text).toBe("get dox");
    const failing = lineWith("x", () => Promise.reject(new Error("lost")));
    await failing.tab.complete();
    expect(failing.line.text).toBe("x");
  });

  test("shows nothing when something else was typed between two of them", async () => {
    const { tab, printed } = lineWith("get a", () => named("a", "ab", "ac"));
    await tab.complete();
    tab.forget();
    await tab.complete();
    expect(printed).toEqual([]);
  });
});

describe("names", () => {
  test("share an ending in any case of letters, and only one that extends what was typed", () => {
    expect(commonEnding(named("ST", "status "))).toBe("status ");
    expect(commonEnding(named("a", "a"))).toBeUndefined();
    expect(commonEnding(named("a", "ab", "ac"))).toBeUndefined();
    expect(commonEnding(named("x"))).toBeUndefined();
    expect(commonEnding({ names: ["file 1", "file 2"], typed: "f", common: "f" })).toBeUndefined();
    expect(commonEnding({ names: ["evil"], typed: "docs/" })).toBeUndefined();
  });

  test("are shown in columns, without their folder", () => {
    expect(namesShown(named("docs/", "docs/a", "docs/b", "docs/sub/"), 40)).toBe("a     b     sub/");
    expect(namesShown(named("", "文字", "a"), 6)).toBe("文字\na");
  });

  test("are asked about when they would fill the window, or are not all", () => {
    const many: Completion = { names: ["a", "b"], typed: "", common: "", total: 2_000 };
    expect(listQuestion(many, 1, 24)).toBe("Show the first 2 of 2000 names? [y/N] ");
    expect(listQuestion({ ...many, total: undefined }, 1, 24)).toContain("of very many");
    expect(listQuestion(named("", "a", "b"), 2, 24)).toBeUndefined();
    expect(listQuestion(named("", "a", "b"), 11, 24)).toBe("Show all 2 names? [y/N] ");
    expect(listQuestion(named("", "a", "b"), 3, 5)).toBe("Show all 2 names? [y/N] ");
  });
});

describe("Ctrl-R", () => {
  const key = (name: string, text = "", ctrl = false) => ({ name, text, ctrl, meta: false });
  const search = () => new SearchMode(["get big.bin", "ls"], { text: "half", cursor: 2 });
  const typed = (text: string) => {
    const mode = search();
    for (const letter of text) mode.onKey(key(letter, letter));
    return mode;
  };

  test("says what it searches for, and what it has found", () => {
    const mode = typed("big");
    expect([mode.prompt, mode.place]).toEqual(['search "big": ', { text: "get big.bin", cursor: 4 }]);
    expect(typed("bog").prompt).toBe('not found "bog": ');
  });

  test.each([
    ["Enter runs the line", key("return", "\r"), { text: "get big.bin", cursor: 4 }, "run"],
    ["an arrow takes it", key("right"), { text: "get big.bin", cursor: 4 }, "key"],
    ["Escape leaves", key("escape"), { text: "half", cursor: 2 }, undefined],
    ["Ctrl-G leaves", key("g", "", true), { text: "half", cursor: 2 }, undefined],
    ["Ctrl-C leaves, and counts", key("c", "", true), { text: "half", cursor: 2 }, "key"],
  ])("%s", (_, pressed, place, after) => {
    const step = typed("big").onKey(pressed);
    expect(step).toEqual({ kind: "leave", place, ...(after !== undefined && { after }) } as never);
  });

  test("Enter without a line that was found runs what had been typed", () => {
    expect(search().onKey(key("return", "\r"))).toEqual({
      kind: "leave",
      place: { text: "half", cursor: 2 },
      after: "run",
    });
  });
});
