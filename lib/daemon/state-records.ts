import { LinkStore } from "../server/access/link-store.ts";
import { TokenStore } from "../server/access/token-store.ts";
import { Ledger } from "../server/ledger.ts";
import { ledgerFile, linksFile, tokensFile } from "../state/state-dir.ts";

/** A server's records of its clients, in its state folder: the ledger, the tokens and the links. */
export interface Records {
  readonly ledger: Ledger;
  readonly tokens: TokenStore;
  readonly links: LinkStore;
}

/**
 * Open the records. The ledger's lock keeps out every other server, and every command that changes the state folder.
 *
 * @throws CommError STATE_IN_USE; StorageError DISK_DENIED, DISK_FAILED, NEWER_STATE
 */
export function openRecords(stateDir: string): Records {
  const ledger = Ledger.open(ledgerFile(stateDir));
  try {
    return {
      ledger,
      tokens: TokenStore.open(tokensFile(stateDir)),
      links: LinkStore.open(linksFile(stateDir)),
    };
  } catch (thrown) {
    ledger.close();
    throw thrown;
  }
}
