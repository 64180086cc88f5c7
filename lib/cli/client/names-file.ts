import type { ArgsDef } from "citty";
import type { Flags } from "../flags.ts";
import { interruptible } from "../interruptible.ts";
import { UsageError } from "../usage-error.ts";
import { givenItems } from "./given-items.ts";

/** Flags of commands that take their names from a file. */
export const NAMES_FILE_FLAGS = {
  "files-from": {
    type: "string",
    valueHint: "FILE",
    description: "Take the names from a file, one a line; -: standard input",
  },
  null: { type: "boolean", alias: "0", description: "With --files-from: a NUL ends each name, as with find -print0" },
} as const satisfies ArgsDef;

/** They belong to one call. */
export const NAMES_FILE_TYPED = ["files-from", "null"];

/** Where names come from. */
export interface NamesFile {
  /** `-` is standard input. */
  readonly file: string;
  readonly isNul: boolean;
}

/** @returns undefined when the names are on the command line @throws UsageError */
export function namesFile(flags: Flags): NamesFile | undefined {
  const file = flags["files-from"];
  if (file === undefined) {
    if (flags["null"] === true) throw new UsageError("--null is for --files-from.");
    if (flags._.length === 0) throw new UsageError("Missing argument: PATH.");
    return undefined;
  }
  if (flags._.length > 0) throw new UsageError("With --files-from, the file has the names.");
  return { file: String(file), isNul: flags["null"] === true };
}

/** The names that the flags give. @throws UsageError; as givenItems() */
export async function readNames(flags: Flags): Promise<readonly string[]> {
  const from = namesFile(flags);
  if (from === undefined) return flags._;
  return interruptible(async (signal) =>
    (await Array.fromAsync(givenItems(from.file, { isNul: from.isNul, signal }))).flat(),
  );
}
