import { randomBytes, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { CommError } from "../../errors.ts";
import { isTokenName, PROOF_BYTES } from "../../protocol/scram.ts";
import type { Token } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { readPrivate, writePrivate } from "../../state/private-file.ts";
import { storageFault } from "../../storage-faults.ts";
import { checkLimits, type Uses } from "./scope.ts";
import {
  formatTokens,
  type KeptTokens,
  type KnownToken,
  NO_TOKENS,
  parseTokens,
  storedForm,
  type TokenRecord,
} from "./token-file.ts";
import { createVerifier, saltFor } from "./verifier.ts";

export type { KnownToken };

const SECRET_BYTES = 32;

/** The name of the token of one run, for the server's own user on its own machine. */
export const LOCAL_TOKEN = "local";

/**
 * The named tokens of a server, in a file of its state folder. One process at a time may change it.
 *
 * A name's salt never changes, whether the name has a token, had one or will have one: a client that asks for it learns
 * nothing. So it is derived from the name and from a key in this file, and not from the identity, which may be rotated,
 * be an authority's that is renewed, or be missing.
 */
export class TokenStore {
  readonly #file: string;
  #tokens: Map<string, KnownToken>;
  #saltKey: Uint8Array;
  #formerSalts: Map<string, Uint8Array>;
  #hasSaltKey: boolean;
  #hasIssued: boolean;

  private constructor(file: string, kept: KeptTokens) {
    this.#file = file;
    this.#tokens = new Map(kept.tokens.map((token) => [token.name, token]));
    this.#saltKey = kept.saltKey ?? randomBytes(PROOF_BYTES);
    this.#formerSalts = new Map(kept.formerSalts);
    this.#hasSaltKey = kept.saltKey !== undefined;
    this.#hasIssued = kept.issued;
  }

  /** @throws StorageError NEWER_STATE, DISK_FAILED when the file is damaged, DISK_DENIED */
  static open(file: string): TokenStore {
    const text = readPrivate(file);
    return new TokenStore(file, text === undefined ? NO_TOKENS : parseTokens(text, file));
  }

  /**
   * Read the file again, which somebody may have restored or replaced. Tokens that are the same stay, and so do proofs
   * of them that are under way.
   *
   * @returns whether anything has changed
   * @throws as open(); then all stays as it was
   */
  reload(): boolean {
    const text = readPrivate(this.#file);
    if (text === undefined) throw storageFault.missingFile(this.#file);
    const read = parseTokens(text, this.#file);
    const former = this.#tokens;
    this.#tokens = new Map(
      read.tokens.map((token) => {
        const known = former.get(token.name);
        return [
          token.name,
          known !== undefined && isDeepStrictEqual(storedForm(known), storedForm(token)) ? known : token,
        ];
      }),
    );
    this.#saltKey = read.saltKey ?? this.#saltKey;
    this.#formerSalts = new Map(read.formerSalts);
    this.#hasSaltKey = read.saltKey !== undefined;
    this.#hasIssued = read.issued;
    return former.size !== this.#tokens.size || this.list().some((token) => former.get(token.name) !== token);
  }

  /** False until the first token was made, even if that was revoked since. */
  get hasIssued(): boolean {
    return this.#hasIssued;
  }

  /** The salt of that name, for SCRAM. */
  saltOf(name: string): Uint8Array {
    return this.#formerSalts.get(name) ?? saltFor(this.#saltKey, name);
  }

  /** Clients will ask for salts, which must be the same after the next start. @throws StorageError as add() */
  keepSalts(): void {
    if (!this.#hasSaltKey) this.#save(() => {});
  }

  find(name: string): KnownToken | undefined {
    return this.#tokens.get(name);
  }

  /** All tokens, oldest first. */
  list(): KnownToken[] {
    return [...this.#tokens.values()];
  }

  /** @throws CommError TOKEN_EXISTS, BAD_PARAMS for an invalid name; as checkLimits() */
  checkNew(record: Omit<TokenRecord, "createdAt">): void {
    const { name } = record;
    checkLimits(record);
    if (!isTokenName(name)) {
      throw new CommError(
        "BAD_PARAMS",
        `${quote(name)} can't name a token: use letters, digits, ".", "_" and "-", 64 at most.`,
      );
    }
    if (name === LOCAL_TOKEN) {
      throw new CommError("BAD_PARAMS", `"${name}" is the server's own name for this machine: choose another.`);
    }
    if (this.#tokens.has(name)) throw new CommError("TOKEN_EXISTS", `There is a token ${quote(name)} already.`);
  }

  /**
   * Make a token. Its secret is not kept: only this call returns it.
   *
   * @throws as checkNew(); StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
   */
  add(record: TokenRecord): Token {
    this.checkNew(record);
    const { name } = record;
    const secret = createSecret();
    const hadIssued = this.#hasIssued;
    this.#hasIssued = true;
    this.#tokens.set(name, { ...record, verifier: createVerifier(secret, this.saltOf(name)) });
    this.#save(() => {
      this.#tokens.delete(name);
      this.#hasIssued = hadIssued;
    });
    return { name, secret };
  }

  /**
   * Count an admission by the token `name` that was made at `madeAt`. It is on the disk when this returns. No effect on
   * a token that admits any number of times, or that is gone.
   *
   * @returns a function that takes it back, since the admission has failed
   * @throws CommError ACCESS_DENIED when it has admitted as often as it may; StorageError as add()
   */
  spend(name: string, madeAt: number): () => void {
    const uses = this.#usesOf(name, madeAt);
    if (uses === undefined) return () => {};
    const fault = spentFault(name, uses);
    if (fault !== undefined) throw new CommError("ACCESS_DENIED", fault);
    this.#setLeft(uses, uses.left - 1);
    return () => this.#setLeft(uses, uses.left + 1);
  }

  /** Why the token `name` that was made at `madeAt` admits no further session; undefined while it does. */
  spentFaultOf(name: string, madeAt: number): string | undefined {
    const uses = this.#usesOf(name, madeAt);
    return uses && spentFault(name, uses);
  }

  #usesOf(name: string, madeAt: number): Uses | undefined {
    const token = this.#tokens.get(name);
    return token?.createdAt === madeAt ? token.uses : undefined;
  }

  #setLeft(uses: Uses, left: number): void {
    const before = uses.left;
    uses.left = left;
    this.#save(() => {
      uses.left = before;
    });
  }

  /** @throws CommError NO_SUCH_TOKEN; StorageError as add() */
  revoke(name: string): void {
    const token = this.#tokens.get(name);
    if (token === undefined) throw new CommError("NO_SUCH_TOKEN", `There is no token ${quote(name)}.`);
    this.#tokens.delete(name);
    const { salt } = token.verifier;
    const isOwnSalt = !timingSafeEqual(salt, this.saltOf(name));
    if (isOwnSalt) this.#formerSalts.set(name, salt);
    this.#save(() => {
      this.#tokens.set(name, token);
      if (isOwnSalt) this.#formerSalts.delete(name);
    });
  }

  /**
   * Undo add() for the token of the first start, which could not be shown to anybody: the next start counts as the
   * first again.
   *
   * @throws as revoke()
   */
  unissue(name: string): void {
    this.#hasIssued = false;
    try {
      this.revoke(name);
    } catch (thrown) {
      this.#hasIssued = true;
      throw thrown;
    }
  }

  #save(undo: () => void): void {
    const text = formatTokens({
      saltKey: this.#saltKey,
      issued: this.#hasIssued,
      tokens: this.list(),
      formerSalts: this.#formerSalts,
    });
    try {
      writePrivate(this.#file, text);
      this.#hasSaltKey = true;
    } catch (thrown) {
      undo();
      throw thrown;
    }
  }
}

function spentFault(name: string, { max, left }: Uses): string | undefined {
  if (left > 0) return undefined;
  return `The token ${quote(name)} is spent: it was for ${max === 1 ? "one session" : `${max} sessions`}.`;
}

export function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}
