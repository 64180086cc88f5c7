import type { StampedEvent } from "../../server/event-feed.ts";
import { paint } from "../console-io.ts";
import { toJson } from "../escape.ts";
import { formatTime } from "../format.ts";
import { formatEvent } from "./event-line.ts";

/** Levels of the log, the gravest first: faults that only the operator can remedy, warnings, decisions, the daily round. */
export const LOG_LEVELS = ["error", "warn", "notice", "info"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * How lines look: `json` for programs; `text` with the time in UTC; `terminal` with the local time and colours;
 * `journal` for systemd's, which notes the time itself and takes a priority before each line.
 */
export type LogFormat = "json" | "text" | "terminal" | "journal";

const LEVEL_OF: Readonly<Record<string, LogLevel>> = {
  failed: "error",
  warning: "warn",
  listening: "notice",
  reloaded: "notice",
  refused: "notice",
  draining: "notice",
  stopping: "notice",
  issued: "notice",
  revoked: "notice",
  linked: "notice",
  unlinked: "notice",
};

/** Source: syslog(3), sd-daemon(3). */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, notice: 5, info: 6 };

export function levelOf({ event }: Pick<StampedEvent, "event">): LogLevel {
  return LEVEL_OF[event] ?? "info";
}

/** An event as a line of the log, without its line feed. Safe to show. */
export function logLine(event: StampedEvent, format: LogFormat, color = false): string {
  const level = levelOf(event);
  const text = formatEvent(event);
  switch (format) {
    case "json":
      return toJson({ ...event, level, summary: text });
    case "journal":
      return `<${PRIORITIES[level]}>${text}`;
    case "text":
      return `${new Date(event.at).toISOString()} ${level.padEnd(6)} ${text}`;
    case "terminal": {
      const isGrave = level === "error" || level === "warn";
      return `${paint({ color }, "dim", formatTime(event.at))} ${isGrave ? paint({ color }, "yellow", text) : text}`;
    }
  }
}

/** Whether an event belongs into a log down to `least`. */
export function isLogged(event: Pick<StampedEvent, "event">, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(levelOf(event)) <= LOG_LEVELS.indexOf(least);
}
