import { BLOCK_BYTES } from "../../block.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import { formatBytes } from "../../format-bytes.ts";
import { escapeText } from "../escape.ts";
import { plural } from "../format.ts";

/** From here on the time of one file is of interest. */
const MANY_BYTES = 64 * BLOCK_BYTES;

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
    event({ from, kind }, { outcome, path, size, reused, resumed, sha256 }, place) {
      const parts = { ...(reused !== undefined && { reused }), ...(resumed !== undefined && { resumed }) };
      const more = { ...parts, ...(sha256 !== undefined && { sha256 }) };
      return { event: "done", path: from, target: place || path, kind, size, outcome, ...more };
    },
    summary(result, seconds) {
      const { stored, unchanged, skipped, failed, leftOut, bytes, reused, resumed } = result;
      // The line of one file says it all, but for the time of a large one.
      const isOne = stored + unchanged + skipped + failed <= 1 && leftOut === 0;
      if (isOne && bytes < MANY_BYTES && resumed === 0) return undefined;
      const size = sizeWords(bytes, reused);
      return inOneLine([
        `${verb} ${plural(stored, "file")}, ${size} in ${formatSeconds(seconds)}${rateOf(result, seconds)}`,
        resumedWords(result),
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

/** ` (117 MB/s)`, of what has crossed in this run; "" for fewer than `least` bytes. */
export function rateOf(
  { bytes, reused, resumed }: Pick<TransferResult, "bytes" | "reused" | "resumed">,
  seconds: number,
  least = BLOCK_BYTES,
): string {
  const crossed = bytes - reused - resumed;
  return crossed < least ? "" : ` (${formatBytes(crossed / seconds)}/s)`;
}

/** `4.1 GB of it were there already`; "" for none. */
export function resumedWords({ resumed }: Pick<TransferResult, "resumed">): string {
  return resumed === 0 ? "" : `${formatBytes(resumed)} of it were there already`;
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
