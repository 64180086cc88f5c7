import type { CommError } from "../errors.ts";
import type { OpenFile } from "../storage/storage.ts";
import type { Sha256 } from "../transfer/digest-file.ts";
import type { Client } from "./client.ts";
import type { PlanEvents } from "./plan.ts";
import type { TransferItem, TransferOptions } from "./transfer.ts";

export interface JobPlanEvents<Item extends TransferItem> extends PlanEvents<Item> {
  onPlanComplete(): void;
}

/** Moves what was planned: a Download or an Upload. */
export interface Mover {
  run(client: Client): Promise<void>;
  close(): Promise<void>;
}

/** How one direction differs from the other. */
export interface Direction<Item extends TransferItem> {
  /** What is sent is progress when the server says that it has it; what is fetched, when it is verified. */
  readonly isSending: boolean;
  /** Makes what moves these items, or without them all that it plans. */
  move(items: readonly Item[] | undefined, plan: JobPlanEvents<Item>, options: TransferOptions<Item>): Mover;
  /** Whether a file that exists may be replaced by "overwrite". */
  isConflict(error: CommError): boolean;
  /** Absent: digests are not compared. */
  readonly verification?: Verification<Item> | undefined;
}

export interface Verification<Item extends TransferItem> {
  sha256(): Sha256;
  /** The file on this machine that has moved to or from `path`. */
  open(item: Item, path: string): Promise<OpenFile>;
  /** In the repository. */
  remotePath(item: Item, path: string): string;
}
