import { Operator } from "../../client/operator.ts";
import { ERRORS, toCommError } from "../../errors.ts";
import type { TokenRecord } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import { TokenStore } from "../../server/access/token-store.ts";
import { openIdentity } from "../../server/identity.ts";
import { Ledger } from "../../server/ledger.ts";
import type { Flags } from "../flags.ts";
import { defaultStateDir, identityFile, ledgerFile, makeStateDir, tokensFile } from "../state-dir.ts";
import { identityOf, inviteFor, ownAddresses } from "./invitation.ts";
import { connectSocket } from "./operator-socket.ts";

/** Where tokens are made and revoked. @throws CommError as Operator's calls do */
export interface TokenDesk extends Pick<Operator, "issueToken" | "revokeToken" | "tokens"> {
  close(): Promise<void>;
}

/** The server that runs, or else its state folder. @throws CommError STATE_IN_USE, DISK_DENIED, … */
export async function openTokenDesk(flags: Flags): Promise<TokenDesk> {
  const stateDir = String(flags["state-dir"] ?? defaultStateDir());
  try {
    const operator = new Operator(await connectSocket(stateDir));
    return {
      issueToken: (params) => operator.issueToken(params),
      revokeToken: (name) => operator.revokeToken(name),
      tokens: () => operator.tokens(),
      close: () => operator.client.close(),
    };
  } catch (thrown) {
    if (ERRORS[toCommError(thrown).code].exit !== ERRORS.CANNOT_CONNECT.exit) throw thrown;
    return openFolder(makeStateDir(stateDir));
  }
}

/** No server runs: its ledger's lock keeps one from starting meanwhile. */
async function openFolder(stateDir: string): Promise<TokenDesk> {
  const ledger = Ledger.open(ledgerFile(stateDir));
  const store = TokenStore.open(tokensFile(stateDir));
  return {
    async issueToken({ name, role, expiresAt = null, addresses = ownAddresses(undefined) }) {
      const identity = identityOf(await openIdentity(identityFile(stateDir)), false);
      const token = store.add({ name, role, createdAt: Date.now(), expiresAt });
      return { token: formatToken(token), invite: inviteFor(token, { addresses, identity }) };
    },
    async revokeToken(name) {
      store.revoke(name);
    },
    async *tokens(): AsyncGenerator<TokenRecord, void> {
      yield* store.list().map(({ name, role, createdAt, expiresAt }) => ({ name, role, createdAt, expiresAt }));
    },
    async close() {
      ledger.close();
    },
  };
}
