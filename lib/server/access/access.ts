import { isDeepStrictEqual } from "node:util";
import { CODE_MECHANISM } from "../../protocol/code-messages.ts";
import type { AuthOffer } from "../../protocol/messages.ts";
import * as scram from "../../protocol/scram.ts";
import type { Token } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import type { Clock } from "../../session/clock.ts";
import type { PeerAddress } from "../../session/transport.ts";
import { Throttle } from "../throttle.ts";
import { AccessError, type Account } from "./account.ts";
import { CodeBook } from "./code-book.ts";
import type { KnownLink, LinkStore } from "./link-store.ts";
import type { ProofUnderWay } from "./proof-under-way.ts";
import { ScramServer } from "./scram-server.ts";
import { Secrets } from "./secrets.ts";
import { TemporaryTokens } from "./temporary-tokens.ts";
import type { KnownToken, TokenStore } from "./token-store.ts";
import { decoyVerifier } from "./verifier.ts";

const NOTHING = new Uint8Array(0);
const NO_LINK = "There is no such link, or it ended long ago.";
const NOT_RIGHT = "The token is wrong, or was revoked.";

export interface AccessOptions {
  readonly clock: Clock;
  readonly tokens: TokenStore;
  readonly links: LinkStore;
  /** True to admit anyone as a reader. */
  readonly open: boolean;
  /** A token for this run only, for the same user on this machine: accepted only from loopback addresses. */
  readonly local?: KnownToken | undefined;
}

/** Decides which peers are admitted, and with which role. Source: PROTOCOL.md, "Proof". */
export class Access {
  readonly #options: AccessOptions;
  /** Counts wrong proofs, by address. */
  readonly #throttle: Throttle;

  readonly #secrets: Secrets;
  /** The one-time codes. */
  readonly codes: CodeBook;
  /** The tokens of shares. They are proven over the protocol only, never by showing the secret. */
  readonly temporary: TemporaryTokens;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#secrets = new Secrets((name) => options.tokens.saltOf(name));
    this.#throttle = new Throttle(options.clock);
    this.codes = new CodeBook(options.clock, this.#throttle);
    this.temporary = new TemporaryTokens((name) => options.tokens.saltOf(name));
  }

  /** The account of a client without a token. @throws AccessError TOKEN_REQUIRED */
  withoutToken(): Account {
    if (this.#options.open) return { role: "read", token: undefined };
    throw new AccessError("TOKEN_REQUIRED", "This server requires a token.", "It came without a token.");
  }

  /**
   * Begin the proof of a token or a code. Every proof of a token is checked, however many guesses come from the same address: a check takes
   * four HMACs.
   *
   * @param binding the transport's, undefined where nothing is encrypted
   * @throws AccessError ACCESS_DENIED; as CodeBook.begin(); ProtocolError BAD_PAYLOAD
   */
  begin({ mechanism, message }: AuthOffer, address: PeerAddress, binding: Uint8Array | undefined): ProofUnderWay {
    if (mechanism === CODE_MECHANISM) return this.codes.begin(message, address, binding);
    const first = scram.parseClientFirst(message);
    const wanted = binding === undefined ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS";
    if (mechanism !== wanted || first.gs2Header !== scram.gs2HeaderOf(wanted)) {
      const detail = `It offered ${mechanism} with ${quote(first.gs2Header)}.`;
      throw new AccessError("ACCESS_DENIED", `The proof must be made with ${wanted} here.`, detail);
    }
    const token = this.#find(first.name, address) ?? this.temporary.find(first.name);
    // Computed for every name, so that the time until the answer reveals no more than the answer does.
    const decoy = decoyVerifier(this.#options.tokens.saltOf(first.name));
    return new ScramServer({
      first,
      binding: binding ?? NOTHING,
      verifier: token?.verifier ?? decoy,
      finish: (fault) => this.#finish(first.name, token, address, fault),
    });
  }

  /**
   * Check a token whose secret itself was sent, over a connection that nobody else can read. Wrong ones count as wrong
   * proofs do.
   *
   * @throws AccessError ACCESS_DENIED, THROTTLED
   */
  async judge({ name, secret }: Token, address: PeerAddress): Promise<Account> {
    const token = scram.isTokenName(name) ? this.#find(name, address) : undefined;
    const isRight = await this.#secrets.isOf(token, { name, secret }, address.group);
    return this.#finish(name, token, address, isRight ? undefined : "The secret is wrong.");
  }

  /**
   * The link with this secret, even if it has ended. Unknown ones count as wrong proofs do.
   *
   * @throws AccessError NOT_FOUND, THROTTLED
   */
  link(secret: string, { group }: PeerAddress): KnownLink {
    const link = this.#options.links.find(secret);
    if (link !== undefined) return link;
    const code = this.#throttle.take(group) ? "NOT_FOUND" : "THROTTLED";
    throw new AccessError(code, NO_LINK, "There is no such link.");
  }

  /** Milliseconds since 1970 at which the next token or link expires; undefined when none will. */
  get nextExpiry(): number | undefined {
    const now = this.#options.clock.wallTime();
    const { tokens, links } = this.#options;
    const times = [...tokens.list(), ...this.temporary.list(), ...links.list(now)].flatMap(
      ({ expiresAt }) => expiresAt ?? [],
    );
    const coming = times.filter((time) => time > now);
    return coming.length === 0 ? undefined : Math.min(...coming);
  }

  /** Why a session of this account must end; undefined: it may continue. */
  faultOf({ token, tokenMadeAt, link, scope }: Account): string | undefined {
    if (link !== undefined) return this.#options.links.faultOf(link, this.#options.clock.wallTime());
    if (token === undefined) return undefined;
    const fault = this.faultOfToken(token, tokenMadeAt);
    if (fault !== undefined || tokenMadeAt === undefined) return fault;
    // A file of tokens that was changed is read again.
    const isAsProven = isDeepStrictEqual(this.#options.tokens.find(token)?.scope, scope);
    return isAsProven ? undefined : `The limits of the token ${quote(token)} have changed.`;
  }

  /** Why no new session of this account may begin, although its proof is right; undefined: one may. */
  spentFaultOf({ token, tokenMadeAt }: Account): string | undefined {
    if (token === undefined || tokenMadeAt === undefined) return undefined;
    return this.#options.tokens.spentFaultOf(token, tokenMadeAt);
  }

  /**
   * A session of this account begins: count it, if its token admits only so many. It is on the disk when this returns.
   *
   * @returns a function that takes it back, since the session could not begin
   * @throws CommError ACCESS_DENIED when the token is spent; StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
   */
  spend({ token, tokenMadeAt, isUncounted }: Account): () => void {
    if (token === undefined || tokenMadeAt === undefined || isUncounted) return () => {};
    return this.#options.tokens.spend(token, tokenMadeAt);
  }

  /**
   * Why the token `name` admits nobody any more, and its sessions end. `madeAt`: of the token that is meant, since a file
   * of tokens can be replaced by one with the same names.
   */
  faultOfToken(name: string, madeAt?: number): string | undefined {
    if (name === this.#options.local?.name) return undefined;
    const token = this.#options.tokens.find(name) ?? this.temporary.find(name);
    if (token === undefined || (madeAt !== undefined && token.createdAt !== madeAt))
      return `The token ${quote(name)} was revoked.`;
    const { expiresAt } = token;
    return expiresAt !== null && expiresAt <= this.#options.clock.wallTime()
      ? `The token ${quote(name)} has expired.`
      : undefined;
  }

  #find(name: string, { isLoopback }: PeerAddress): KnownToken | undefined {
    const { local, tokens } = this.#options;
    return local?.name === name && isLoopback ? local : tokens.find(name);
  }

  #finish(name: string, token: KnownToken | undefined, address: PeerAddress, fault: string | undefined): Account {
    if (token === undefined || fault !== undefined) {
      const detail = `Token ${quote(name)}: ${token === undefined ? "There is no such token." : fault}`;
      if (this.#throttle.take(address.group)) throw new AccessError("ACCESS_DENIED", NOT_RIGHT, detail);
      throw new AccessError("THROTTLED", `${NOT_RIGHT} Too many proofs from this address were wrong.`, detail);
    }
    // Only a client that has proven the token sees this; meanwhile, another token of that name may have been made.
    const over =
      (this.#find(name, address) ?? this.temporary.find(name)) === token
        ? this.faultOfToken(name)
        : `The token ${quote(name)} was revoked.`;
    if (over !== undefined) throw new AccessError("ACCESS_DENIED", over, over);
    const temporary = this.temporary.find(name);
    return token === temporary ? this.temporary.accountOf(temporary) : this.#accountOf(token);
  }

  /** The account of the client for which a token was just made: its first session is none of the token's uses. */
  accountOf(name: string): Account {
    const token = this.#options.tokens.find(name);
    if (token === undefined) throw new AccessError("ACCESS_DENIED", NOT_RIGHT, `There is no token ${quote(name)}.`);
    return { ...this.#accountOf(token), isUncounted: true };
  }

  #accountOf(token: KnownToken): Account {
    const { name, role, createdAt, scope } = token;
    const isKept = token !== this.#options.local;
    return { role, token: name, ...(isKept && { tokenMadeAt: createdAt }), ...(scope && { scope }) };
  }
}
