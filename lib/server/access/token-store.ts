import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { CommError, StorageError } from "../../errors.ts";
import { quote } from "../../path.ts";
import { Role } from "../../protocol/messages.ts";
import {
  decodeBase64,
  encodeBase64,
  isTokenName,
  MAX_ITERATIONS,
  MIN_ITERATIONS,
  PROOF_BYTES,
} from "../../protocol/scram.ts";
import type { Token } from "../../protocol/token.ts";
import { readPrivate, writePrivate } from "../../storage/private-file.ts";
import { createVerifier, type Verifier } from "./verifier.ts";

const SECRET_BYTES = 32;

/** The name of the token of one run alone, for the server's own user on its own machine. */
export const LOCAL_TOKEN = "local";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const bytes = v.pipe(v.string(), v.base64());
const key = v.pipe(
  bytes,
  v.check((text) => decodeBase64(text).length === PROOF_BYTES, "not a key of SHA-256"),
);

/** One token in the file: its verifier, and never its secret. */
const Stored = v.object({
  name: v.pipe(v.string(), v.check(isTokenName)),
  role: Role,
  createdAt: count,
  expiresAt: v.nullable(count),
  salt: bytes,
  iterations: v.pipe(count, v.minValue(MIN_ITERATIONS), v.maxValue(MAX_ITERATIONS)),
  storedKey: key,
  serverKey: key,
});
const StoredFile = v.object({ version: v.literal(1), tokens: v.array(Stored) });

/** What there is to know of a token. */
export interface TokenRecord {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
}

export interface KnownToken extends TokenRecord {
  readonly verifier: Verifier;
}

/** The named tokens of a server, in a file of its state folder. One process at a time may change it. */
export class TokenStore {
  readonly #file: string;
  readonly #tokens: Map<string, KnownToken>;
  /** False until there is a file: then no token was ever made. */
  readonly existed: boolean;

  private constructor(file: string, tokens: readonly KnownToken[] | undefined) {
    this.#file = file;
    this.existed = tokens !== undefined;
    this.#tokens = new Map(tokens?.map((token) => [token.name, token]));
  }

  /** @throws StorageError DISK_FAILED when the file is damaged, DISK_DENIED */
  static open(file: string): TokenStore {
    const text = readPrivate(file);
    return new TokenStore(file, text === undefined ? undefined : parseFile(text, file));
  }

  find(name: string): KnownToken | undefined {
    return this.#tokens.get(name);
  }

  /** In the order in which they were made. */
  list(): KnownToken[] {
    return [...this.#tokens.values()];
  }

  /**
   * Make a token. Its secret is not kept: this is the only time that it can be had.
   *
   * @throws CommError TOKEN_EXISTS, BAD_PARAMS for a name that is none; StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
   */
  add(record: TokenRecord): Token {
    const { name } = record;
    if (!isTokenName(name)) {
      throw new CommError(
        "BAD_PARAMS",
        `${quote(name)} can't name a token: letters, digits, ".", "_" and "-", 64 at most.`,
      );
    }
    if (name === LOCAL_TOKEN) {
      throw new CommError("BAD_PARAMS", `"${name}" is the server's own name for this machine: choose another.`);
    }
    if (this.#tokens.has(name)) throw new CommError("TOKEN_EXISTS", `There is a token ${quote(name)} already.`);
    const secret = createSecret();
    this.#tokens.set(name, { ...record, verifier: createVerifier(secret) });
    this.#save(() => this.#tokens.delete(name));
    return { name, secret };
  }

  /** @throws CommError NO_SUCH_TOKEN; StorageError as add() */
  revoke(name: string): void {
    const token = this.#tokens.get(name);
    if (token === undefined) throw new CommError("NO_SUCH_TOKEN", `There is no token ${quote(name)}.`);
    this.#tokens.delete(name);
    this.#save(() => this.#tokens.set(name, token));
  }

  #save(undo: () => void): void {
    const tokens = this.list().map(({ verifier, ...record }) => ({
      ...record,
      salt: encodeBase64(verifier.salt),
      iterations: verifier.iterations,
      storedKey: encodeBase64(verifier.storedKey),
      serverKey: encodeBase64(verifier.serverKey),
    }));
    try {
      writePrivate(this.#file, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
    } catch (thrown) {
      undo();
      throw thrown;
    }
  }
}

export function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function parseFile(text: string, file: string): KnownToken[] {
  try {
    return v
      .parse(StoredFile, JSON.parse(text))
      .tokens.map(({ salt, iterations, storedKey, serverKey, ...record }) => ({
        ...record,
        verifier: {
          salt: decodeBase64(salt),
          iterations,
          storedKey: decodeBase64(storedKey),
          serverKey: decodeBase64(serverKey),
        },
      }));
  } catch (cause) {
    throw new StorageError(
      "DISK_FAILED",
      `The list of tokens ${quote(file)} is damaged: restore it, or move it away and issue tokens anew.`,
      { cause },
    );
  }
}
