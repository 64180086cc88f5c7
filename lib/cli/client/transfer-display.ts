import type { LeftOutThing } from "../../client/left-out.ts";
import type { TransferItem } from "../../client/transfer.ts";
import type { Done, TransferResult } from "../../client/transfer-result.ts";
import type { CommError } from "../../errors.ts";

/** What is known of a file that failed. */
export type FailedItem = Pick<TransferItem, "from" | "size" | "kind">;

/** A file that moves: its size, and how many of its bytes have arrived. */
export interface Moving {
  readonly size: number;
  readonly present: number;
}

/**
 * How a transfer is shown: to a person by TransferLines, to a program by TransferEvents. Sizes are in bytes; `planned` are
 * those that the plan has of a file.
 */
export interface TransferDisplay {
  /** A file or folder was added to the plan. */
  plan(item: TransferItem): void;
  /** The plan is complete. */
  planned(): void;
  /** `before`: how far it was when it began before. */
  start(item: TransferItem, now: Moving, before: Moving | undefined): void;
  /** `added` more bytes have arrived. */
  progress(item: TransferItem, added: number, now: Moving): void;
  /** The file has changed and begins again; `before`: how far it was. */
  restart(item: TransferItem, before: Moving | undefined): void;
  /** `place`: where it is, in the words of the user; "" when that need not be shown. */
  done(item: TransferItem, done: Done, at: { readonly place: string; readonly planned: number }): void;
  /** Something else was done: a line for people, if any, and the event for programs. */
  say(line: string | undefined, event: object): void;
  /** Something that had to be done was not, for this reason. */
  refused(error: CommError): void;
  failed(item: FailedItem, error: CommError, planned: number): void;
  /** The file has disappeared. */
  gone(item: TransferItem, planned: number): void;
  leftOut(left: LeftOutThing): void;
  /** A pattern of the filter has matched nothing. */
  unmatched(pattern: string): void;
  /** A step of a file other than moving it. */
  phase(item: TransferItem, phase: string): void;
  /** A line for people. */
  note(line: string): void;
  /** Leave the screen, until resume(). */
  pause(): void;
  resume(): void;
  /** Resolves when the whole report was written, or can't be. `isIncomplete`: something that had to move was left out. */
  finish(result: TransferResult, seconds: number, isIncomplete: boolean): Promise<void>;
}
