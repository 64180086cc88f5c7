import { describe, expect, test } from "bun:test";
import { clip, columnsOf, type Region, rowsOf, Screen } from "../../../lib/cli/terminal/screen.ts";

test.each([
  ["", 10, 1],
  ["0123456789", 10, 1],
  ["0123456789a", 10, 2],
  // Five wide characters take ten columns; eleven leave one of them empty in each row.
  ["文字文字文字文字文字", 10, 2],
  ["文字文字文字文字文字文", 11, 3],
  ["a\u0301".repeat(10), 10, 1],
])("%p takes, at %i columns, %i rows", (line, columns, rows) => {
  expect(rowsOf(line, columns)).toBe(rows);
});

test.each([
  ["0123456789", 10, "0123456789"],
  ["0123456789a", 10, "012345678…"],
  ["文字文字文字", 12, "文字文字文字"],
  // The wide character that fits in part is left out.
  ["文字文字文字", 10, "文字文字…"],
  ["文字文字文字", 11, "文字文字文…"],
  ["", 1, ""],
  ["ab", 1, "…"],
])("%p is clipped at %i columns to %p", (line, columns, clipped) => {
  expect(clip(line, columns)).toBe(clipped);
});

test("a terminal that nobody has sized counts as one of 80 columns", () => {
  const sized = (columns: number | undefined) => columnsOf({ columns } as NodeJS.WriteStream);
  expect([sized(0), sized(undefined), sized(132)]).toEqual([80, 80, 132]);
});

describe("a screen", () => {
  /** A screen, what its terminal gets, and how to make a region of it. */
  function withLog() {
    const log: string[] = [];
    const region = (name: string): Region => ({
      erase: () => void log.push(`-${name}`),
      draw: () => void log.push(`+${name}`),
    });
    const taken = () => log.splice(0).join(" ");
    return { screen: new Screen(), region, taken, print: (text: string) => () => void log.push(text) };
  }

  test("prints at once where nothing is at its bottom", () => {
    const { screen, taken, print } = withLog();
    screen.print(print("text"));
    expect(taken()).toBe("text");
  });

  test("prints above its region, and gives back what was printed", () => {
    const { screen, region, taken, print } = withLog();
    screen.show(region("bar"));
    screen.print(print("text"));
    expect(taken()).toBe("+bar -bar text +bar");
    expect(screen.print(() => 7)).toBe(7);
  });

  test("shows its region again although printing failed", () => {
    const { screen, region, taken } = withLog();
    screen.show(region("bar"));
    const fail = () => {
      throw new Error("no terminal");
    };
    expect(() => screen.print(fail)).toThrow("no terminal");
    expect(taken()).toBe("+bar -bar +bar");
  });

  test("shows a question in place of the bars, and the bars again after it", () => {
    const { screen, region, taken, print } = withLog();
    const [bars, question] = [region("bars"), region("question")];
    screen.show(bars);
    const answered = screen.show(question);
    screen.redraw(bars);
    screen.print(print("text"));
    expect(taken()).toBe("+bars -bars +question -question text +question");
    answered();
    expect(taken()).toBe("-question +bars");
    screen.redraw(bars);
    expect(taken()).toBe("-bars +bars");
  });

  test("loses a covered region without a trace on the terminal, and takes none away twice", () => {
    const { screen, region, taken, print } = withLog();
    const hideBars = screen.show(region("bars"));
    const answered = screen.show(region("question"));
    taken();
    hideBars();
    hideBars();
    expect(taken()).toBe("");
    answered();
    screen.print(print("text"));
    expect(taken()).toBe("-question text");
  });
});
