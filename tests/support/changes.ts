import type { StorageChange } from "../../lib/storage/storage.ts";

/** As people read it: "added docs/a", "missed 3". */
export function lineOf(change: StorageChange): string {
  return `${change.change} ${change.change === "missed" ? change.count : change.path}`;
}

/** undefined for what has none. */
export function pathOf(change: StorageChange): string | undefined {
  return change.change === "missed" ? undefined : change.path;
}
