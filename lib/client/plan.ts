import { CommError } from "../errors.ts";
import { quote } from "../quote.ts";
import type { LeftOutThing } from "./left-out.ts";
import type { TransferItem } from "./transfer.ts";

/** Reports of a transfer's planning. */
export interface PlanEvents<Item extends TransferItem> {
  onPlanned(item: Item): void;
  /** A source, or something in it, that can't be moved. */
  onFailed(source: string, error: CommError): void;
  /** Something in a source that is left out, which is not a failure. */
  onLeftOut(left: LeftOutThing): void;
}

/** One name was given for several things: the matches of a pattern, or several files for the place of one. */
export class NamingError extends CommError {
  override readonly name = "NamingError";
  readonly reason: "pattern" | "file";
  /** The pattern. */
  readonly source: string;

  constructor(reason: NamingError["reason"], source = "") {
    const words =
      reason === "pattern"
        ? `One name is given, and ${quote(source)} is a pattern.`
        : "The target is a file: only a single file can replace it.";
    super("MALFORMED", words);
    this.reason = reason;
    this.source = source;
  }
}
