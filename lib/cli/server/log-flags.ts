import fs from "node:fs";
import type { ArgsDef } from "citty";
import type { ConsoleIo } from "../console-io.ts";
import type { Flags } from "../flags.ts";
import { nearest } from "../nearest.ts";
import { UsageError } from "../usage-error.ts";
import type { LogSettings } from "./event-log.ts";
import { LOG_LEVELS, type LogFormat } from "./log-line.ts";

const FORMATS = ["auto", "text", "json"] as const;

export const LOG_FLAGS = {
  "log-file": { type: "string", valueHint: "FILE", description: "Write the log to FILE; default: standard error" },
  "log-level": {
    type: "string",
    valueHint: LOG_LEVELS.join("|"),
    default: "info",
    description: "The least grave events that are logged",
  },
  "log-format": {
    type: "string",
    valueHint: FORMATS.join("|"),
    default: "auto",
    description: "Lines of the log; auto: text on a terminal and in systemd's journal, else JSON",
  },
} as const satisfies ArgsDef;

/** The log that the flags ask for. @throws UsageError */
export function readLogSettings(flags: Flags, { noteIsTty }: Pick<ConsoleIo, "noteIsTty">): LogSettings {
  const file = flags["log-file"] === undefined ? undefined : String(flags["log-file"]);
  const level = oneOf(flags, "log-level", LOG_LEVELS);
  const wanted = oneOf(flags, "log-format", FORMATS);
  return { file, level, format: formatOf(wanted, file, noteIsTty) };
}

function formatOf(wanted: (typeof FORMATS)[number], file: string | undefined, isTty: boolean): LogFormat {
  if (wanted === "json") return "json";
  if (file === undefined && isTty) return "terminal";
  if (file === undefined && isJournal(2)) return "journal";
  return wanted === "text" ? "text" : "json";
}

/** @throws UsageError */
function oneOf<T extends string>(flags: Flags, name: string, values: readonly T[]): T {
  const given = String(flags[name]);
  const value = values.find((each) => each === given.toLowerCase());
  if (value !== undefined) return value;
  const near = nearest(given.toLowerCase(), values);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  throw new UsageError(`--${name} takes ${values.join(", ")}, not "${given}".${hint}`);
}

/**
 * Whether a standard stream leads to systemd's journal. Source: systemd.exec(5), JOURNAL_STREAM: the device and the
 * inode of the stream that systemd has opened; a program that was started from there may have been given another.
 */
export function isJournal(fd: 1 | 2): boolean {
  const stream = process.env["JOURNAL_STREAM"];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
