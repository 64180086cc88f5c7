import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import { formatBytes } from "../../format-bytes.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";

/** What a command that moves files calls things. */
export interface TransferWords {
  /** The most lines for files on a terminal; the summary counts the rest. */
  readonly maxLines: number;
  /** The path of an item, as a program reads it. */
  nameOf(item: Pick<TransferItem, "from">): string;
  /** The line for an item that is done; undefined: none. `place` as in TransferDisplay. */
  line(item: TransferItem, done: Done, place: string): string | undefined;
  /** The event for an item that is done; undefined: none. */
  event(item: TransferItem, done: Done, place: string): { readonly event: string } | undefined;
  /** The last line; undefined: none. */
  summary(result: TransferResult, seconds: number): string | undefined;
  /** The counts of the last event. */
  counts(result: TransferResult): object;
}

/** The words of a command that moves what it is told: "Fetched" or "Sent". */
export function movingWords(verb: string): TransferWords {
  return {
    maxLines: 20,
    nameOf: ({ from }) => from,
    line({ kind, from }, { outcome, size, reused, sha256 }, place) {
      // Folders are not counted.
      if (kind === "folder") return undefined;
      const to = place === "" ? "" : ` as ${escapeText(place)}`;
      const name = escapeText(from);
      if (outcome === "unchanged") return `Unchanged ${name}${to}`;
      if (outcome === "skipped") return `Skipped ${name}: it exists`;
      const digest = sha256 === undefined ? "" : `  ${sha256}`;
      return `${verb} ${name}${to} (${sizeWords(size, reused)}, verified)${digest}`;
    },
    event({ from, kind }, { outcome, path, size, reused, sha256 }, place) {
      const more = { ...(reused !== undefined && { reused }), ...(sha256 !== undefined && { sha256 }) };
      return { event: "done", path: from, target: place || path, kind, size, outcome, ...more };
    },
    summary(result, seconds) {
      const { stored, unchanged, skipped, failed, leftOut, bytes, reused } = result;
      // One file's line says it all.
      if (stored + unchanged + skipped + failed <= 1 && leftOut === 0) return undefined;
      return inOneLine([
        `${verb} ${plural(stored, "file")}, ${sizeWords(bytes, reused)} in ${formatSeconds(seconds)}`,
        counted(unchanged, "unchanged"),
        counted(skipped, "skipped"),
        counted(failed, "failed"),
        counted(leftOut, "left out"),
      ]);
    },
    counts: ({ stored, unchanged, skipped, failed }) => ({ stored, unchanged, skipped, failed }),
  };
}

/** `1.1 GB`, or `1.1 GB, 1.0 GB reused` if some of it was at the target and did not cross. */
export function sizeWords(bytes: number, reused = 0): string {
  return reused > 0 ? `${formatBytes(bytes)}, ${formatBytes(reused)} reused` : formatBytes(bytes);
}

/** `3 failed`; "" for none. */
export function counted(count: number, what: string): string {
  return count > 0 ? `${count} ${what}` : "";
}

export function inOneLine(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

export function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}
