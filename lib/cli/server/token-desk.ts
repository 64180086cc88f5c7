import { existsSync } from "node:fs";
import { Operator } from "../../client/operator.ts";
import { ERRORS, StorageError, toCommError } from "../../errors.ts";
import type { TokenRecord } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { TokenStore } from "../../server/access/token-store.ts";
import { openIdentity } from "../../server/identity.ts";
import { Ledger } from "../../server/ledger.ts";
import { serverWarnings } from "../../state/exposed-state.ts";
import { identityFile, ledgerFile, makeStateDir, tokensFile } from "../../state/state-dir.ts";
import { stateDirWords } from "../shown-command.ts";
import { type Invitation, identityOf, inviteFor, lastInvitation, ownAddresses } from "./invitation.ts";
import { connectSocket } from "./operator-socket.ts";

/** Where tokens are made and revoked. @throws CommError as Operator's calls do */
export interface TokenDesk extends Pick<Operator, "issueToken" | "revokeToken" | "tokens"> {
  /** What its user should know of the state folder; a server that runs has told it. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** The server that runs, or else its state folder, which is made if it `mayMake` one. @throws CommError STATE_IN_USE, … */
export async function openTokenDesk(stateDir: string, options: { mayMake: boolean }): Promise<TokenDesk> {
  try {
    const operator = new Operator(await connectSocket(stateDir));
    return {
      warnings: [],
      issueToken: (params) => operator.issueToken(params),
      revokeToken: (name) => operator.revokeToken(name),
      tokens: () => operator.tokens(),
      close: () => operator.client.close(),
    };
  } catch (thrown) {
    if (!ERRORS[toCommError(thrown).code].unreachable) throw thrown;
    if (!options.mayMake && !existsSync(stateDir)) {
      throw new StorageError("NO_SUCH_FILE", `There is no state folder ${quote(stateDir)}.`);
    }
    return openFolder(makeStateDir(stateDir), options);
  }
}

/** Of a server that has never run, as it will be when it is started without flags. */
async function firstInvitation(stateDir: string): Promise<Invitation> {
  const identity = identityOf(await openIdentity(identityFile(stateDir)), false);
  return { addresses: ownAddresses(undefined), identity };
}

/** Who meant another state folder must hear it: this one gets an identity of its own. */
function neverRan(stateDir: string): string {
  const start = `commserver-server --repository DIR${stateDirWords(stateDir)}`;
  return `No server has ever run with the state folder ${quote(stateDir)}. The invite is for one that is started with: ${start}`;
}

/** No server runs: its ledger's lock keeps one from starting meanwhile. */
async function openFolder(stateDir: string, { mayMake }: { mayMake: boolean }): Promise<TokenDesk> {
  const ledger = Ledger.open(ledgerFile(stateDir));
  const store = TokenStore.open(tokensFile(stateDir));
  return {
    warnings: [
      ...(mayMake && lastInvitation(stateDir) === undefined ? [neverRan(stateDir)] : []),
      ...serverWarnings(stateDir, identityFile(stateDir)),
    ],
    async issueToken({ name, role, expiresAt = null, addresses }) {
      const invitation = lastInvitation(stateDir) ?? (await firstInvitation(stateDir));
      const token = store.add({ name, role, createdAt: Date.now(), expiresAt });
      const invite = inviteFor(token, { ...invitation, ...(addresses !== undefined && { addresses }) });
      return { token: formatToken(token), invite };
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
