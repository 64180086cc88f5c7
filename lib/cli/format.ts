import { localTime } from "../platform/local-time.ts";
import { breakWords, MIN_ROOM } from "./line-breaks.ts";

/** `0 s`, `59 s`, `3 min`, `2 h 5 min`, `4 d 1 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

/** `2026-11-22 14:03:11` in local time; question marks for a time that no clock can show. */
export function formatTime(timestamp: number): string {
  const time = localTime(timestamp);
  if (time === undefined) return "????-??-?? ??:??:??";
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.year}-${two(time.month)}-${two(time.day)}`;
  return `${date} ${two(time.hours)}:${two(time.minutes)}:${two(time.seconds)}`;
}

/**
 * Rows under headings, columns as wide as their widest cell. Cells must be escaped. A row that does not fit into
 * `columns` continues on indented lines.
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined = Number.POSITIVE_INFINITY,
): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => Bun.stringWidth(line[column] ?? ""))));
  const groups: number[][] = [];
  let width = 0;
  for (const [column, cells] of widths.entries()) {
    const isFirst = groups.length === 0 || width + cells > columns;
    if (isFirst) width = groups.length === 0 ? 0 : INDENT.length;
    if (isFirst) groups.push([]);
    groups.at(-1)?.push(column);
    width += cells + GAP.length;
  }
  const padded = (line: readonly string[], column: number) => {
    const cell = line[column] ?? "";
    return cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell));
  };
  const textOf = (line: readonly string[], group: readonly number[], index: number) =>
    `${index === 0 ? "" : INDENT}${group.map((column) => padded(line, column)).join(GAP)}`.trimEnd();
  return lines.flatMap((line) => groups.map((group, index) => textOf(line, group, index))).join("\n");
}

const GAP = "  ";
const INDENT = "    ";

/** A term, and its explanation. */
export type Row = readonly [left: string, right: string];

/**
 * Rows in two columns; the right one wraps between words where a line does not fit into `columns`. In a narrow window
 * it stands below the left one.
 */
export function formatRows(rows: readonly Row[], columns: number | undefined): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([left]) => left.length));
  const room = columns === undefined ? Number.POSITIVE_INFINITY : columns - width - 4;
  if (columns !== undefined && room < MIN_ROOM && columns >= 2 * MIN_ROOM) {
    const below = (text: string) => breakWords(text, columns - 6).map((line) => `      ${line}`);
    return rows.flatMap(([left, right]) => [`  ${left}`, ...(right === "" ? [] : below(right))]).join("\n");
  }
  const margin = `\n${" ".repeat(width + 4)}`;
  return rows
    .map(([left, right]) => `  ${left.padEnd(width)}  ${breakWords(right, room).join(margin)}`.trimEnd())
    .join("\n");
}

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
