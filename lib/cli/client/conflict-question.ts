import type { TransferItem } from "../../client/transfer.ts";
import type { Conflict } from "../../client/transfer-job.ts";
import { RemoteError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";

/** The question to a person about files that exist, safe to show. */
export function conflictQuestion(conflicts: readonly Conflict<TransferItem>[]): string {
  const [first] = conflicts;
  if (first === undefined || conflicts.length > 1) return `${conflicts.length} files exist. Replace them?`;
  return `${escapeText(wordsOf(first))} Replace it?`;
}

/** A question to a person is in this program's words, never in a server's. */
function wordsOf({ item, error }: Conflict<TransferItem>): string {
  return error instanceof RemoteError ? `${quote(item.to)} exists.` : error.message;
}
