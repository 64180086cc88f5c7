import { LinkStore } from "../server/access/link-store.ts";
import { TokenStore } from "../server/access/token-store.ts";
import { Ledger } from "../server/ledger.ts";
import { Mailbox, type MailboxLimits } from "../server/mail/mailbox.ts";
import { ledgerFile, linksFile, mailboxFile, tokensFile } from "../state/state-dir.ts";

/** A server's records of its clients, in its state folder: the ledger, the tokens, the links and kept messages. */
export interface Records {
  readonly ledger: Ledger;
  readonly tokens: TokenStore;
  readonly links: LinkStore;
  /** undefined where none are kept. */
  readonly mailbox: Mailbox | undefined;
}

/**
 * Open the records. The ledger's lock keeps out every other server, and every command that changes the state folder.
 *
 * @throws CommError STATE_IN_USE; StorageError DISK_DENIED, DISK_FULL, DISK_FAILED, NEWER_STATE
 */
export function openRecords(stateDir: string, limits?: MailboxLimits): Records {
  const ledger = Ledger.open(ledgerFile(stateDir));
  try {
    return {
      ledger,
      tokens: TokenStore.open(tokensFile(stateDir)),
      links: LinkStore.open(linksFile(stateDir)),
      // The last: if another can't be opened, it need not be closed.
      mailbox: limits && Mailbox.open(mailboxFile(stateDir), limits),
    };
  } catch (thrown) {
    ledger.close();
    throw thrown;
  }
}
