import { describe, expect, test } from "bun:test";
import { isLogged, levelOf, logLine } from "../../../lib/cli/server/log-line.ts";

const AT = Date.UTC(2026, 10, 30, 12);
const WARNING = { at: AT, event: "warning", message: "Careful." } as const;

describe("a line of the log", () => {
  test.each([
    ["text", "2026-11-30T12:00:00.000Z warn   Careful."],
    ["journal", "<4>Careful."],
    ["json", `{"at":${AT},"event":"warning","message":"Careful.","level":"warn","summary":"Careful."}`],
  ] as const)("%s", (format, line) => {
    expect(logLine(WARNING, format)).toBe(line);
  });

  test("on a terminal has the local time, and colours for what is grave", () => {
    expect(logLine(WARNING, "terminal")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Careful\.$/);
    expect(logLine(WARNING, "terminal", true)).toContain("\u001b[33mCareful.");
  });

  test.each([
    ["failed", "error", 3],
    ["warning", "warn", 4],
    ["refused", "notice", 5],
    ["joined", "info", 6],
    ["of a later version", "info", 6],
  ])("of %p is %p, and has the priority %i", (event, level, priority) => {
    expect(levelOf({ event } as never)).toBe(level as never);
    expect(logLine({ at: AT, event } as never, "journal")).toStartWith(`<${priority}>`);
  });

  test("is there down to the chosen level", () => {
    const levels = (least: "error" | "notice") =>
      ["failed", "warning", "refused", "joined"].filter((event) => isLogged({ event } as never, least));
    expect(levels("error")).toEqual(["failed"]);
    expect(levels("notice")).toEqual(["failed", "warning", "refused"]);
  });
});
