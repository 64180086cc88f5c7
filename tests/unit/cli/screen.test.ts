import { expect, test } from "bun:test";
import { rowsOf } from "../../../lib/cli/terminal/screen.ts";

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
