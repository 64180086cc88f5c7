import type { Storage } from "../storage/storage.ts";
import type { TransferOptions } from "./transfer.ts";

export interface DownloadOptions extends TransferOptions {
  /** Where the files go. */
  readonly local: Pick<Storage, "place" | "hasOwnName" | "receive" | "store" | "makeFolder" | "finishFolder"> &
    Partial<Pick<Storage, "open">>;
  /** One file after the other, each whole before the next begins. */
  readonly isSequential?: boolean;
  /** All bytes must come, zeros too. */
  readonly isWithoutHoles?: boolean;
}
