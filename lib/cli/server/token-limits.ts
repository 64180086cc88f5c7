import type { ArgsDef } from "citty";
import { formatBytes } from "../../format-bytes.ts";
import { MAX_USES, type TokenRecord } from "../../protocol/methods.ts";
import { typedFolder } from "../client/typed-paths.ts";
import { escapeText } from "../escape.ts";
import { integerFlag, sizeFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { plural } from "../format.ts";
import { UsageError } from "../usage-error.ts";

/** The flags of `token add` that limit the token. */
export const LIMIT_FLAGS = {
  folder: { type: "string", valueHint: "PATH", description: "A folder that is its whole repository; made if missing" },
  quota: { type: "string", valueHint: "SIZE", description: "The most that the folder may hold, such as 5GB" },
  drop: { type: "boolean", description: "It only takes files: nothing in the folder can be seen or replaced" },
  uses: { type: "string", valueHint: "N", description: "How many sessions it admits; default: any number" },
} as const satisfies ArgsDef;

type Limits = Pick<TokenRecord, "folder" | "quotaBytes" | "drop" | "uses" | "usesLeft">;

/** The limits that the flags set. @throws UsageError; StorageError BAD_PATH */
export function limitFlags(flags: Flags): { folder?: string; quotaBytes?: number; drop?: true; uses?: number } {
  const folder = flags["folder"] === undefined ? undefined : typedFolder(String(flags["folder"]));
  if (folder === "") throw new UsageError("--folder takes a folder in the repository. Without it, a token is for all.");
  const uses = flags["uses"] === undefined ? undefined : integerFlag(flags, "uses", 1, MAX_USES);
  const quotaBytes = sizeFlag(flags, "quota");
  const drop = flags["drop"] === true;
  if (folder === undefined && (drop || quotaBytes !== undefined)) {
    throw new UsageError(`--${drop ? "drop" : "quota"} needs --folder.`);
  }
  if ((drop || quotaBytes !== undefined) && flags["role"] !== "write") {
    throw new UsageError(`--${drop ? "drop" : "quota"} needs the role write.`);
  }
  const more = { ...(quotaBytes !== undefined && { quotaBytes }), ...(drop && { drop: true as const }) };
  return { ...(folder !== undefined && { folder }), ...more, ...(uses !== undefined && { uses }) };
}

/** The limits of a token for people, as a cell of a list; "" without any. */
export function limitCell({ folder, quotaBytes, drop, uses, usesLeft = 0 }: Limits): string {
  const left = usesLeft === 0 ? "spent" : `${usesLeft} of ${uses} uses left`;
  const words = [
    folder === undefined ? "" : escapeText(folder),
    drop === true ? "drop" : "",
    quotaBytes === undefined ? "" : formatBytes(quotaBytes),
    uses === undefined ? "" : left,
  ];
  return words.filter((word) => word !== "").join(", ");
}

/** The same for a token that was just made, as sentences; "" without any. */
export function limitWords({ folder, quotaBytes, drop, uses }: Limits): string {
  const lines = [
    folder === undefined ? "" : `The folder ${escapeText(folder)} is its whole repository.\n`,
    quotaBytes === undefined ? "" : `It may hold ${formatBytes(quotaBytes)}.\n`,
    drop === true ? "It only takes files: what is there can be neither seen nor replaced.\n" : "",
    uses === undefined ? "" : `It admits ${plural(uses, "session")}.\n`,
  ];
  return lines.join("");
}
