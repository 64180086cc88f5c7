import type { ArgsDef } from "citty";
import { MAX_USES, type TokenRecord } from "../../protocol/methods.ts";
import { typedFolder } from "../client/typed-paths.ts";
import { escapeText } from "../escape.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { plural } from "../format.ts";
import { UsageError } from "../usage-error.ts";

/** The flags of `token add` that limit the token. */
export const LIMIT_FLAGS = {
  folder: { type: "string", valueHint: "PATH", description: "A folder that is its whole repository; made if missing" },
  uses: { type: "string", valueHint: "N", description: "How many sessions it admits; default: any number" },
} as const satisfies ArgsDef;

type Limits = Pick<TokenRecord, "folder" | "uses" | "usesLeft">;

/** The limits that the flags set. @throws UsageError; StorageError BAD_PATH */
export function limitFlags(flags: Flags): { folder?: string; uses?: number } {
  const folder = flags["folder"] === undefined ? undefined : typedFolder(String(flags["folder"]));
  if (folder === "") throw new UsageError("--folder takes a folder in the repository. Without it, a token is for all.");
  const uses = flags["uses"] === undefined ? undefined : integerFlag(flags, "uses", 1, MAX_USES);
  return { ...(folder !== undefined && { folder }), ...(uses !== undefined && { uses }) };
}

/** The limits of a token for people, as a cell of a list; "" without any. */
export function limitCell({ folder, uses, usesLeft = 0 }: Limits): string {
  const left = usesLeft === 0 ? "spent" : `${usesLeft} of ${uses} uses left`;
  return [...(folder === undefined ? [] : [escapeText(folder)]), ...(uses === undefined ? [] : [left])].join(", ");
}

/** The same for a token that was just made, as sentences; "" without any. */
export function limitWords({ folder, uses }: Limits): string {
  const lines = [
    folder === undefined ? "" : `The folder ${escapeText(folder)} is its whole repository.\n`,
    uses === undefined ? "" : `It admits ${plural(uses, "session")}.\n`,
  ];
  return lines.join("");
}
