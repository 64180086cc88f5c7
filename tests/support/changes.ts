import type { StorageChange } from "../../lib/storage/storage.ts";

/** As people read it: "added docs/a", "missed 3", "missed 0: why". */
export function lineOf(change: StorageChange): string {
  if (change.change !== "missed") return `${change.change} ${change.path}`;
  return `missed ${change.count}${change.message === undefined ? "" : `: ${change.message}`}`;
}

/** undefined for changes without a path. */
export function pathOf(change: StorageChange): string | undefined {
  return change.change === "missed" ? undefined : change.path;
}
