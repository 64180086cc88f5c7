import type { Role } from "../../protocol/messages.ts";
import type { Token } from "../../protocol/token.ts";
import type { Account } from "./account.ts";
import { createSecret, type KnownToken } from "./token-store.ts";
import { createVerifier } from "./verifier.ts";

/** What a temporary token is for. */
export interface TemporaryTokenFacts {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The share that is its whole world. */
  readonly share: string;
}

/** Tokens of this run of the server, which are in no file: those of shares. */
export class TemporaryTokens {
  readonly #saltOf: (name: string) => Uint8Array;
  readonly #tokens = new Map<string, KnownToken & TemporaryTokenFacts>();

  constructor(saltOf: (name: string) => Uint8Array) {
    this.#saltOf = saltOf;
  }

  /** Make a token, of which the server keeps only the verifier. */
  add(facts: TemporaryTokenFacts): Token {
    const secret = createSecret();
    const verifier = createVerifier(secret, this.#saltOf(facts.name));
    this.#tokens.set(facts.name, { ...facts, verifier });
    return { name: facts.name, secret };
  }

  find(name: string): (KnownToken & TemporaryTokenFacts) | undefined {
    return this.#tokens.get(name);
  }

  list(): (KnownToken & TemporaryTokenFacts)[] {
    return [...this.#tokens.values()];
  }

  /** It admits nobody any more. */
  end(name: string): void {
    this.#tokens.delete(name);
  }

  /** The account of a client with that token. */
  accountOf({ name, role, createdAt, share }: TemporaryTokenFacts): Account {
    return { role, token: name, tokenMadeAt: createdAt, share };
  }
}
