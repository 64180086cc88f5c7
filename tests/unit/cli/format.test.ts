import { describe, expect, test } from "bun:test";
import { paint } from "../../../lib/cli/console-io.ts";
import { formatDuration, formatRows, formatTable, formatTime, plural } from "../../../lib/cli/format.ts";
import { helpFor } from "../../../lib/cli/help.ts";
import { formatBytes } from "../../../lib/format-bytes.ts";
import { wholeClient, wholeServer } from "../../support/whole-programs.ts";

describe("formatBytes()", () => {
  test.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1_000, "1.0 KB"],
    [1_049, "1.0 KB"],
    [1_500, "1.5 KB"],
    [9_949, "9.9 KB"],
    [9_950, "10 KB"],
    [12_400, "12 KB"],
    [999_499, "999 KB"],
    [999_500, "1.0 MB"],
    [1_000_000, "1.0 MB"],
    [4_294_967_296, "4.3 GB"],
    [2.5e12, "2.5 TB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
    [5e18, "5000 PB"],
  ])("%p is %p", (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });
});

describe("formatDuration()", () => {
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];

  test.each([
    [0, "0 s"],
    [-5, "0 s"],
    [999, "0 s"],
    [59 * second + 999, "59 s"],
    [minute, "1 min"],
    [59 * minute + 59 * second, "59 min"],
    [hour, "1 h 0 min"],
    [2 * hour + 5 * minute, "2 h 5 min"],
    [day - 1, "23 h 59 min"],
    [day, "1 d 0 h"],
    [4 * day + hour, "4 d 1 h"],
    [400 * day, "400 d 0 h"],
  ])("%p ms is %p", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});

test("formatTime() shows local time, with zeros, and sorts as text", () => {
  expect(formatTime(new Date(2026, 10, 22, 14, 3, 11).getTime())).toBe("2026-11-22 14:03:11");
  expect(formatTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe("2026-01-02 03:04:05");
});

test.each([Number.NaN, Number.MAX_VALUE, -Number.MAX_VALUE, 8.64e15 + 1, Number.POSITIVE_INFINITY])(
  "formatTime() shows a time that no clock can show as one of the same width: %p",
  (timestamp) => {
    expect(formatTime(timestamp)).toBe("????-??-?? ??:??:??");
  },
);

describe("formatTable()", () => {
  test("makes columns as wide as their widest cell, without blanks at the end", () => {
    const rows = [
      ["Client01", "x"],
      ["C2", "longer cell"],
    ];
    expect(formatTable(["NAME", "WHAT"], rows)).toBe(
      ["NAME      WHAT", "Client01  x", "C2        longer cell"].join("\n"), //
    );
  });

  test("counts what a terminal shows, not code units", () => {
    const lines = formatTable(
      ["A", "B"],
      [
        ["日本", "1"],
        ["é", "2"],
        ["🦊", "3"],
      ],
    ).split("\n");
    expect(lines).toEqual(["A     B", "日本  1", "é     2", "🦊    3"]);
  });

  test("goes on in indented lines where a terminal is too narrow for a row", () => {
    const rows = [["Client01", "127.0.0.1", "exit", "1 sent"]];
    const lines = formatTable(["NAME", "ADDRESS", "WHY", "MESSAGES"], rows, 24).split("\n");
    expect(lines).toEqual(["NAME      ADDRESS", "    WHY   MESSAGES", "Client01  127.0.0.1", "    exit  1 sent"]);
    expect(formatTable(["NAME", "ADDRESS", "WHY", "MESSAGES"], rows, 36).split("\n")).toHaveLength(2);
  });

  test("shows the headings alone without rows", () => {
    expect(formatTable(["NAME", "WHAT"], [])).toBe("NAME  WHAT");
  });
});

describe("formatRows()", () => {
  const rows = [
    ["--wait", "Queue for a seat when the server is full"],
    ["-h", "Show this help"],
  ] as const;

  test("breaks an explanation between words, and indents what follows", () => {
    expect(formatRows(rows, 34).split("\n")).toEqual([
      "  --wait  Queue for a seat when",
      "          the server is full",
      "  -h      Show this help",
    ]);
  });

  test("breaks nothing for a pipe, or in a window too narrow for words", () => {
    for (const columns of [undefined, 12]) expect(formatRows(rows, columns).split("\n")).toHaveLength(2);
  });
});

test("no line of help is wider than a terminal of 80 columns", () => {
  for (const program of [wholeClient, wholeServer]) {
    const io = { color: false, outColumns: 80 };
    const pages = [undefined, ...Object.keys(program.commands)].map((name) => helpFor(program, name, io));
    expect(pages.flatMap((page) => page.split("\n")).filter((line) => line.length > 80)).toEqual([]);
  }
});

test("at 40 columns, help breaks between words what is neither a usage nor an example", () => {
  for (const program of [wholeClient, wholeServer]) {
    for (const name of Object.keys(program.commands)) {
      const [, description = ""] = helpFor(program, name, { color: false, outColumns: 40 }).split("\n");
      expect(description.length).toBeLessThanOrEqual(40);
    }
  }
});

test("plural() takes an s but for one", () => {
  expect([0, 1, 2].map((count) => plural(count, "file"))).toEqual(["0 files", "1 file", "2 files"]);
});

test("paint() colours only where the terminal shows it, and ends what it began", () => {
  expect(paint({ color: false }, "red", "text")).toBe("text");
  expect(paint({ color: true }, "red", "text")).toBe("\u001b[31mtext\u001b[39m");
  expect(paint({ color: true }, "bold", "text")).toBe("\u001b[1mtext\u001b[22m");
});
