import type { CommError } from "../errors.ts";
import type { OpenFile } from "../storage/storage.ts";
import type { Sha256 } from "../transfer/digest-file.ts";
import type { Client } from "./client.ts";
import type { PlanEvents } from "./plan.ts";
import type { TransferItem, TransferOptions } from "./transfer.ts";

export interface JobPlanEvents<Item extends TransferItem> extends PlanEvents<Item> {
  onPlanComplete(): void;
}

/** Moves the planned items: a Download or an Upload. */
export interface Mover {
  run(client: Client): Promise<void>;
  close(): Promise<void>;
}

/** The differences between the directions. */
export interface Direction<Item extends TransferItem> {
  /** Sent bytes count as progress when the server acknowledges them; fetched bytes when they are verified. */
  readonly isSending: boolean;
  /** Makes the mover of these items; without them, of all that the plan has. */
  move(items: readonly Item[] | undefined, plan: JobPlanEvents<Item>, options: TransferOptions<Item>): Mover;
  /** Whether the error is about a file that "overwrite" would replace. */
  isConflict(error: CommError): boolean;
  /** Absent: digests are not compared. */
  readonly verification?: Verification<Item> | undefined;
}

export interface Verification<Item extends TransferItem> {
  sha256(): Sha256;
  /** The file on this machine that has moved to or from `path`. */
  open(item: Item, path: string): Promise<OpenFile>;
  /** Its path in the repository. */
  remotePath(item: Item, path: string): string;
}
