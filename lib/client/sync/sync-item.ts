import type { TransferItem } from "../transfer.ts";
import type { SyncEntry } from "./folder-join.ts";

/** What a mirror does to bring a file or folder to its target. */
export type SyncChange = "new" | "updated";

/** A file or folder that a mirror moves. */
export interface SyncItem extends TransferItem {
  readonly change: SyncChange;
  /** Below the mirrored folder. */
  readonly path: string;
  /** It gets another name at first: the file at its place is moved away, or looks the same by its size and time. */
  readonly isStaged: boolean;
}

/** A file that both sides have, and that may be the same: size alone, or size and time, don't tell. */
export interface Question<Item extends SyncItem> {
  readonly source: SyncEntry;
  /** Moves if they differ. */
  readonly item: Item;
}
