import { randomBytes, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { CommError } from "../../errors.ts";
import { Role } from "../../protocol/messages.ts";
import { decodeBase64, encodeBase64, isTokenName, MIN_ITERATIONS, PROOF_BYTES } from "../../protocol/scram.ts";
import { count } from "../../protocol/shapes.ts";
import type { Token } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { readPrivate, writePrivate } from "../../state/private-file.ts";
import { parseVersioned } from "../../state/versioned-json.ts";
import { createVerifier, SALT_BYTES, saltFor, type Verifier } from "./verifier.ts";

const SECRET_BYTES = 32;

/** The name of the token of one run, for the server's own user on its own machine. */
export const LOCAL_TOKEN = "local";

const bytes = v.pipe(v.string(), v.base64());
const ofBytes = (length: number, what: string) =>
  v.pipe(
    bytes,
    v.check((text) => decodeBase64(text).length === length, what),
  );
const key = ofBytes(PROOF_BYTES, "not a key of SHA-256");
const salt = ofBytes(SALT_BYTES, "not a salt");

/** One token in the file: its verifier, and never its secret. */
const Stored = v.object({
  name: v.pipe(v.string(), v.check(isTokenName)),
  role: Role,
  createdAt: count,
  expiresAt: v.nullable(count),
  salt,
  // The same for all names, known or not: see PROTOCOL.md, "Proof".
  iterations: v.literal(MIN_ITERATIONS),
  storedKey: key,
  serverKey: key,
});
/** The version of the file format. */
const FORM = 1;

const StoredFile = v.object({
  version: v.literal(FORM),
  /** The key of the salts. Files of earlier versions have none, but a salt with each token. */
  saltKey: v.optional(key),
  /** False until a token was made. */
  issued: v.optional(v.boolean(), true),
  tokens: v.array(Stored),
  /** Names of revoked tokens whose salts were not made of the key. */
  formerSalts: v.optional(v.record(v.string(), salt), {}),
});

/** The facts of a token. */
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

/** The content of the file. */
interface Kept {
  readonly saltKey: Uint8Array | undefined;
  readonly issued: boolean;
  readonly tokens: readonly KnownToken[];
  readonly formerSalts: ReadonlyMap<string, Uint8Array>;
}

const NOTHING: Kept = { saltKey: undefined, issued: false, tokens: [], formerSalts: new Map() };

/**
 * The named tokens of a server, in a file of its state folder. One process at a time may change it.
 *
 * A name's salt never changes, whether the name has a token, had one or will have one: a client that asks for it learns
 * nothing. So it is derived from the name and from a key in this file, and not from the identity, which may be rotated,
 * be an authority's that is renewed, or be missing.
 */
export class TokenStore {
  readonly #file: string;
  readonly #tokens: Map<string, KnownToken>;
  readonly #saltKey: Uint8Array;
  readonly #formerSalts: Map<string, Uint8Array>;
  #hasSaltKey: boolean;
  #hasIssued: boolean;

  private constructor(file: string, kept: Kept) {
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
    return new TokenStore(file, text === undefined ? NOTHING : parseFile(text, file));
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

  /**
   * Make a token. Its secret is not kept: only this call returns it.
   *
   * @throws CommError TOKEN_EXISTS, BAD_PARAMS for an invalid name; StorageError DISK_DENIED, DISK_FULL, DISK_FAILED
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
    const hadIssued = this.#hasIssued;
    this.#hasIssued = true;
    this.#tokens.set(name, { ...record, verifier: createVerifier(secret, this.saltOf(name)) });
    this.#save(() => {
      this.#tokens.delete(name);
      this.#hasIssued = hadIssued;
    });
    return { name, secret };
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
    const tokens = this.list().map(({ verifier, ...record }) => ({
      ...record,
      salt: encodeBase64(verifier.salt),
      iterations: verifier.iterations,
      storedKey: encodeBase64(verifier.storedKey),
      serverKey: encodeBase64(verifier.serverKey),
    }));
    const content = {
      version: FORM,
      saltKey: encodeBase64(this.#saltKey),
      issued: this.#hasIssued,
      tokens,
      ...(this.#formerSalts.size > 0 && {
        formerSalts: Object.fromEntries([...this.#formerSalts].map(([name, salt]) => [name, encodeBase64(salt)])),
      }),
    };
    try {
      writePrivate(this.#file, `${JSON.stringify(content, null, 2)}\n`);
      this.#hasSaltKey = true;
    } catch (thrown) {
      undo();
      throw thrown;
    }
  }
}

export function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function parseFile(text: string, file: string): Kept {
  return parseVersioned(text, file, {
    form: FORM,
    read: (content) => keptOf(v.parse(StoredFile, content)),
    damaged: `The list of tokens ${quote(file)} is damaged: restore it, or move it away and issue new tokens.`,
  });
}

function keptOf({ saltKey, issued, tokens, formerSalts }: v.InferOutput<typeof StoredFile>): Kept {
  return {
    saltKey: saltKey === undefined ? undefined : decodeBase64(saltKey),
    issued,
    tokens: tokens.map(({ salt, iterations, storedKey, serverKey, ...record }) => ({
      ...record,
      verifier: {
        salt: decodeBase64(salt),
        iterations,
        storedKey: decodeBase64(storedKey),
        serverKey: decodeBase64(serverKey),
      },
    })),
    formerSalts: new Map(Object.entries(formerSalts).map(([name, text]) => [name, decodeBase64(text)])),
  };
}
