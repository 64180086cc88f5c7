import { toCommError } from "../errors.ts";
import { formatToken, type Token } from "../protocol/token.ts";
import { createSecret, type KnownToken, LOCAL_TOKEN, type TokenStore } from "../server/access/token-store.ts";
import { createVerifier } from "../server/access/verifier.ts";
import { systemClock } from "../session/clock.ts";
import { leaveLocalInvite } from "../state/local-invite.ts";
import type { DaemonWarning } from "./warnings.ts";

/** A token for this run only, for other programs of the server's user on its machine. */
export class LocalAccess {
  /** The token's record for the server. */
  readonly known: KnownToken;
  readonly #token: Token;

  constructor(tokens: TokenStore) {
    this.#token = { name: LOCAL_TOKEN, secret: createSecret() };
    const { name, secret } = this.#token;
    const verifier = createVerifier(secret, tokens.saltOf(name));
    this.known = { name, role: "write", createdAt: systemClock.wallTime(), expiresAt: null, verifier };
  }

  /**
   * Leave an invite where those programs find it. A server whose user has no such folder still serves: its clients must
   * join it as on other machines.
   *
   * @param identity fingerprint, or null without encryption
   */
  leaveInvite(port: number, identity: string | null): { warnings: DaemonWarning[]; remove(): void } {
    try {
      const remove = leaveLocalInvite(port, { pid: process.pid, identity, token: formatToken(this.#token) });
      return { warnings: [], remove };
    } catch (thrown) {
      return { warnings: [{ kind: "no local invite", fault: toCommError(thrown) }], remove() {} };
    }
  }
}
