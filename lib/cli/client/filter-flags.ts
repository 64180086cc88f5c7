import type { ArgsDef } from "citty";
import type { Filter } from "../../client/filter.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import { sizeFlag, timeFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { readGiven } from "../given-file.ts";
import { interruptible } from "../interruptible.ts";

/** Flags that choose what is taken of a folder or a pattern. */
export const FILTER_FLAGS = {
  exclude: {
    type: "string",
    valueHint: "PATTERN…",
    description: 'Leave out what matches, as in .gitignore: "*.tmp", "/build/"; may be given several times',
  },
  include: {
    type: "string",
    valueHint: "PATTERN…",
    description: "Take it although it is excluded; without --exclude, take nothing else",
  },
  "exclude-from": { type: "string", valueHint: "FILE…", description: "Read such patterns from a file, one a line" },
  "max-size": { type: "string", valueHint: "SIZE", description: "Leave out larger files: 500, 64M, 1.5GB" },
  newer: {
    type: "string",
    valueHint: "TIME",
    description: "Leave out files that are older than 12h or 7d, or than a day: 2026-11-01",
  },
} as const satisfies ArgsDef;

/**
 * The filter that the flags make; undefined without any.
 *
 * @throws UsageError; as readGiven()
 */
export async function readFilter(flags: Flags, now: number): Promise<Filter | undefined> {
  if (Object.keys(FILTER_FLAGS).every((name) => flags[name] === undefined)) return undefined;
  const texts = await interruptible((signal) =>
    Promise.all(listFlag(flags, "exclude-from").map((file) => readGiven(file === "-" ? 0 : file, signal))),
  );
  // Loaded only when there is a filter: it makes every start longer.
  const { Filter } = await import("../../client/filter.ts");
  return new Filter({
    lines: texts.flatMap((text) => text.replace(/^\uFEFF/, "").split(/\r?\n/)),
    exclude: listFlag(flags, "exclude"),
    include: listFlag(flags, "include"),
    maxBytes: sizeFlag(flags, "max-size"),
    changedSince: timeFlag(flags, "newer", now),
  });
}

/** Tells that a pattern of --exclude or --include did nothing. */
export function unmatchedLine(pattern: string): string {
  return `Nothing matches the filter ${escapeText(quote(pattern))}.`;
}

/** All values of a flag that may be given several times; a configured one has one a line. */
function listFlag(flags: Flags, name: string): readonly string[] {
  const values = flags[name];
  return typeof values === "string" ? values.split("\n") : ((values as readonly string[] | undefined) ?? []);
}
