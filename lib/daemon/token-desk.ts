import { existsSync } from "node:fs";
import { Operator } from "../client/operator.ts";
import { ERRORS, StorageError, TransportError, toCommError } from "../errors.ts";
import type { TokenRecord } from "../protocol/methods.ts";
import { formatToken } from "../protocol/token.ts";
import { quote } from "../quote.ts";
import { limitFacts, limitsOf } from "../server/access/scope.ts";
import { stateWarnings } from "../state/exposed-state.ts";
import { requireOwnState } from "../state/foreign-state.ts";
import { identityFile, makeStateDir } from "../state/state-dir.ts";
import { openIdentity } from "./identity.ts";
import { type Invitation, identityOf, inviteFor, lastInvitation } from "./invitation.ts";
import { connectLocalOperator, type OperatorOptions } from "./operator-connection.ts";
import { ownAddresses } from "./own-addresses.ts";
import { openRecords } from "./state-records.ts";
import type { DaemonWarning } from "./warnings.ts";

/** Makes, lists and revokes tokens; only a running server makes codes. @throws CommError as Operator's calls do */
export interface TokenDesk extends Pick<Operator, "issueToken" | "issueCode" | "revokeToken" | "tokens"> {
  /** Warnings about the state folder; none from a running server, which has shown them already. */
  readonly warnings: readonly DaemonWarning[];
  close(): Promise<void>;
}

export interface TokenDeskOptions extends OperatorOptions {
  /** Make the state folder, for a server that has never run. */
  readonly mayMake: boolean;
}

/**
 * The desk of the running server, otherwise of its state folder.
 *
 * @throws CommError STATE_IN_USE; StorageError NO_SUCH_FILE, …; as requireOwnState() without a running server
 */
export async function openTokenDesk(stateDir: string, options: TokenDeskOptions): Promise<TokenDesk> {
  try {
    const operator = new Operator(await connectLocalOperator(stateDir, options));
    return {
      warnings: [],
      issueToken: (params) => operator.issueToken(params),
      issueCode: (params) => operator.issueCode(params),
      revokeToken: (name) => operator.revokeToken(name),
      tokens: () => operator.tokens(),
      close: () => operator.client.close(),
    };
  } catch (thrown) {
    if (!ERRORS[toCommError(thrown).code].unreachable) throw thrown;
    if (!options.mayMake && !existsSync(stateDir)) {
      throw new StorageError("NO_SUCH_FILE", `There is no state folder ${quote(stateDir)}.`);
    }
    requireOwnState(stateDir);
    return openFolder(makeStateDir(stateDir), options);
  }
}

/** The invitation of a server that has never run, as if it were started without flags. */
async function firstInvitation(stateDir: string): Promise<Invitation> {
  const identity = identityOf(await openIdentity(identityFile(stateDir)), false);
  return { addresses: ownAddresses(undefined), identity };
}

/** No server runs: its ledger's lock keeps one from starting meanwhile. */
async function openFolder(stateDir: string, { mayMake }: Pick<TokenDeskOptions, "mayMake">): Promise<TokenDesk> {
  const { ledger, tokens } = openRecords(stateDir);
  const isNew = mayMake && lastInvitation(stateDir) === undefined;
  return {
    warnings: [
      ...(isNew ? [{ kind: "never started", stateDir } as const] : []),
      ...stateWarnings(stateDir, identityFile(stateDir)),
    ],
    async issueToken({ name, role, expiresAt = null, addresses, ...given }) {
      const invitation = lastInvitation(stateDir) ?? (await firstInvitation(stateDir));
      const record = { name, role, createdAt: Date.now(), expiresAt, ...limitsOf(given) };
      const token = tokens.add(record);
      const invite = inviteFor(token, { ...invitation, ...(addresses !== undefined && { addresses }) });
      return { token: formatToken(token), invite, ...limitFacts(record) };
    },
    async issueCode() {
      throw new TransportError(
        "CANNOT_CONNECT",
        `No server runs with the state folder ${quote(stateDir)}: a code needs one.`,
      );
    },
    async revokeToken(name) {
      tokens.revoke(name);
    },
    async *tokens(): AsyncGenerator<TokenRecord, void> {
      for (const token of tokens.list()) {
        const { name, role, createdAt, expiresAt } = token;
        yield { name, role, createdAt, expiresAt, ...limitFacts(token) };
      }
    },
    async close() {
      ledger.close();
    },
  };
}
