import type { ArgsDef } from "citty";
import type { ExistsPolicy } from "../../storage/storage.ts";
import { isTyped } from "../configuration/origins.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { FILTER_FLAGS } from "./filter-flags.ts";
import { typedName } from "./typed-paths.ts";

/** Of all commands that may replace files. */
export const WHOLE_FILE_FLAG = {
  type: "boolean",
  alias: "W",
  description: "Move files that are replaced whole, not only what has changed in them",
} as const;

/** Flags of the commands that move files. */
export const TRANSFER_FLAGS = {
  overwrite: { type: "boolean", description: "Replace files that exist" },
  "skip-existing": { type: "boolean", description: "Leave files that exist as they are" },
  "whole-file": WHOLE_FILE_FLAG,
  rename: { type: "boolean", description: 'Keep both: store the new one as "name (2)"' },
  strict: { type: "boolean", description: "Fail with exit code 7 if anything is left out of a folder" },
  digest: { type: "boolean", description: "Compare the SHA-256 of both ends afterwards, and show it" },
  ...FILTER_FLAGS,
} as const satisfies ArgsDef;

/** The new name that --as gives. @throws UsageError when it is not a name, or there are several sources */
export function asFlag(flags: Flags): string | undefined {
  if (flags["as"] === undefined) return undefined;
  if (flags._.length > 1 || flags["files-from"] !== undefined)
    throw new UsageError("--as names one file or folder, but there are several.");
  return typedName(String(flags["as"]));
}

/** @throws UsageError when two of the flags are given */
export function existsPolicy(flags: Flags): ExistsPolicy {
  const given = (["overwrite", "skip-existing", "rename"] as const).filter((name) => flags[name] === true);
  const typed = given.filter((name) => isTyped(flags, name));
  const chosen = typed.length > 0 ? typed : given;
  if (chosen.length > 1) throw new UsageError(`--${chosen[0]} and --${chosen[1]} exclude each other.`);
  switch (chosen[0]) {
    case "overwrite":
      return "overwrite";
    case "skip-existing":
      return "skip";
    case "rename":
      return "rename";
    default:
      return "fail";
  }
}
