import { CommError, toCommError } from "../errors.ts";
import type { Access } from "./access/access.ts";
import type { Account } from "./access/account.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Ledger } from "./ledger.ts";

/** The message for a peer that connects while the ledger can't be written. */
const NO_LEDGER = "The server can't write its ledger, so it admits nobody.";

export interface EnrolmentParts {
  readonly access: Pick<Access, "spend">;
  readonly ledger: Pick<Ledger, "begin">;
  readonly events: Pick<EventFeed, "emit">;
}

/**
 * Record a session before it begins: its admission is counted, and it gets a row in the ledger. If the disk refuses, the
 * operator gets the reason, and only this peer is refused.
 *
 * @returns the row, with the name of the session
 * @throws CommError ACCESS_DENIED when its token is spent, UNAVAILABLE when the disk refuses
 */
export function enrol(
  account: Account,
  { address, startedAt }: { address: string; startedAt: number },
  { access, ledger, events }: EnrolmentParts,
): { id: number; name: string } {
  try {
    const takeBack = access.spend(account);
    try {
      return ledger.begin(address, startedAt);
    } catch (thrown) {
      takeBack();
      throw thrown;
    }
  } catch (thrown) {
    const error = toCommError(thrown);
    if (error.code === "ACCESS_DENIED") throw error;
    events.emit({ event: "warning", message: error.message });
    throw new CommError("UNAVAILABLE", NO_LEDGER, { cause: thrown });
  }
}
