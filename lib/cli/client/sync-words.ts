import type { Removal } from "../../client/sync/doomed.ts";
import type { SyncResult } from "../../client/sync/sync-result.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { TransferResult } from "../../client/transfer-result.ts";
import { escapeText } from "../escape.ts";
import { KIND_MARKS } from "./list-command.ts";
import {
  counted,
  formatSeconds,
  inOneLine,
  rateOf,
  resumedWords,
  sizeWords,
  type TransferWords,
} from "./transfer-words.ts";

export interface SyncWordsOptions {
  readonly isDry: boolean;
  readonly isQuiet: boolean;
  /** It goes on when the source changes: for the first time, or again. */
  readonly watches: false | "first" | "again";
}

/** The words of a mirror. A dry run has the same ones, but for its last line. */
export function syncWords({ isDry, isQuiet, watches }: SyncWordsOptions): TransferWords {
  const titleOf = ({ firstFailure }: TransferResult) => {
    if (isDry) return "Dry run, nothing was changed";
    return firstFailure === undefined ? "Mirrored" : "Not all was mirrored";
  };
  return {
    maxLines: Number.POSITIVE_INFINITY,
    nameOf,
    line(item, { outcome, size, reused }) {
      if (isQuiet || outcome !== "stored" || nameOf(item) === "") return undefined;
      const name = escapeText(nameOf(item));
      if (item.kind === "folder") return `New ${name}/`;
      return `${isNew(item) ? "New" : "Updated"} ${name} (${sizeWords(size, reused)})`;
    },
    event(item, { outcome, size, reused }) {
      if (outcome !== "stored" || nameOf(item) === "") return undefined;
      const event = isNew(item) ? "new" : "updated";
      return { event, path: nameOf(item), kind: item.kind, size, ...(reused !== undefined && { reused }) };
    },
    summary(result, seconds) {
      if (isQuiet || !isMirror(result)) return undefined;
      const { new: created, updated, removed, unchanged, skipped, failed, leftOut, bytes, reused } = result;
      const isNothing = created + updated + removed === 0 && result.firstFailure === undefined;
      if (watches === "again" && isNothing) return undefined;
      const more = watches === "first" ? ". Watching; Ctrl-C ends." : "";
      const done = inOneLine([
        counted(created, "new"),
        counted(updated, "updated"),
        counted(removed, "deleted"),
        counted(unchanged, "unchanged"),
        counted(skipped, "newer at the target"),
        counted(failed, "failed"),
        counted(leftOut, "left out"),
      ]);
      const rate = isDry ? "" : rateOf(result, seconds, 1);
      const resumed = result.resumed > 0 ? `, ${resumedWords(result)}` : "";
      const moved = bytes > 0 || created + updated > 0 ? `; ${sizeWords(bytes, reused)}` : ",";
      return `${titleOf(result)}: ${done || "no files"}${moved} in ${formatSeconds(seconds)}${rate}${resumed}${more}`;
    },
    counts(result) {
      const { unchanged, skipped, failed } = result;
      const { new: created = 0, updated = 0, removed = 0 } = isMirror(result) ? result : {};
      return { new: created, updated, deleted: removed, unchanged, skipped, failed, ...(isDry && { dryRun: true }) };
    },
  };
}

/** `Deleted docs/old.txt`; a folder ends with a slash. */
export function removalLine({ path, kind }: Removal): string {
  return `Deleted ${escapeText(path)}${KIND_MARKS[kind]}`;
}

/** The path below the mirrored folder. */
function nameOf(item: Pick<TransferItem, "from">): string {
  return "path" in item ? String(item.path) : item.from;
}

function isNew(item: TransferItem): boolean {
  return "change" in item && item.change === "new";
}

function isMirror(result: TransferResult): result is SyncResult {
  return "removed" in result;
}
