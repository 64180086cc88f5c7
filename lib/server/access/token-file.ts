import * as v from "valibot";
import { pathFault } from "../../path.ts";
import { decodeBase64, encodeBase64 } from "../../protocol/base64.ts";
import { Role } from "../../protocol/messages.ts";
import { isTokenName, MIN_ITERATIONS, PROOF_BYTES } from "../../protocol/scram.ts";
import { count } from "../../protocol/shapes.ts";
import { quote } from "../../quote.ts";
import { parseVersioned } from "../../state/versioned-json.ts";
import type { Scope, Uses } from "./scope.ts";
import { SALT_BYTES, type Verifier } from "./verifier.ts";

/** The file of a server's tokens: its schema, and what it holds. */

/** What base64 is in: see decodeBase64(). */
const PART = "A part of a token";

const bytes = v.pipe(v.string(), v.base64());
const ofBytes = (length: number, what: string) =>
  v.pipe(
    bytes,
    v.check((text) => decodeBase64(text, PART).length === length, what),
  );
const key = ofBytes(PROOF_BYTES, "not a key of SHA-256");
const salt = ofBytes(SALT_BYTES, "not a salt");

/** Strict: a token with a limit that this program does not know must not be taken for one without it. */
const Scoped = v.strictObject({
  folder: v.pipe(
    v.string(),
    v.check((path) => pathFault(path) === undefined),
  ),
  quotaBytes: v.optional(count),
  drop: v.optional(v.literal(true)),
});

/** One token in the file: its verifier, and never its secret. */
const Stored = v.object({
  name: v.pipe(v.string(), v.check(isTokenName)),
  role: Role,
  createdAt: count,
  expiresAt: v.nullable(count),
  scope: v.optional(Scoped),
  uses: v.optional(v.object({ max: count, left: count })),
  salt,
  // The same for all names, known or not: see PROTOCOL.md, "Proof".
  iterations: v.literal(MIN_ITERATIONS),
  storedKey: key,
  serverKey: key,
});
/**
 * The version of the file format, and that of a file without limited tokens: earlier programs know only this one, and
 * would take a limited token for one without limits.
 */
const FORM = 2;
const UNLIMITED_FORM = 1;

const StoredFile = v.object({
  version: v.picklist([UNLIMITED_FORM, FORM]),
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
  /** Absent: all that its role allows. */
  readonly scope?: Scope | undefined;
  /** Absent: it admits any number of times. */
  readonly uses?: Uses | undefined;
}

export interface KnownToken extends TokenRecord {
  readonly verifier: Verifier;
}

/** The content of the file. */
export interface KeptTokens {
  readonly saltKey: Uint8Array | undefined;
  readonly issued: boolean;
  readonly tokens: readonly KnownToken[];
  readonly formerSalts: ReadonlyMap<string, Uint8Array>;
}

export const NO_TOKENS: KeptTokens = { saltKey: undefined, issued: false, tokens: [], formerSalts: new Map() };

/** A token as the file has it. */
export function storedForm({ verifier, ...record }: KnownToken): object {
  return {
    ...record,
    salt: encodeBase64(verifier.salt),
    iterations: verifier.iterations,
    storedKey: encodeBase64(verifier.storedKey),
    serverKey: encodeBase64(verifier.serverKey),
  };
}

/** The text of the file. */
export function formatTokens({ saltKey, issued, tokens, formerSalts }: KeptTokens & { saltKey: Uint8Array }): string {
  const isLimited = tokens.some(({ scope, uses }) => scope !== undefined || uses !== undefined);
  const content = {
    version: isLimited ? FORM : UNLIMITED_FORM,
    saltKey: encodeBase64(saltKey),
    issued,
    tokens: tokens.map(storedForm),
    ...(formerSalts.size > 0 && {
      formerSalts: Object.fromEntries([...formerSalts].map(([name, salt]) => [name, encodeBase64(salt)])),
    }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** @throws StorageError NEWER_STATE, DISK_FAILED when the file is damaged */
export function parseTokens(text: string, file: string): KeptTokens {
  return parseVersioned(text, file, {
    form: FORM,
    read: (content) => keptOf(v.parse(StoredFile, content)),
    damaged: `The list of tokens ${quote(file)} is damaged: restore it, or move it away and issue new tokens.`,
  });
}

function keptOf({ saltKey, issued, tokens, formerSalts }: v.InferOutput<typeof StoredFile>): KeptTokens {
  return {
    saltKey: saltKey === undefined ? undefined : decodeBase64(saltKey, PART),
    issued,
    tokens: tokens.map(({ salt, iterations, storedKey, serverKey, ...record }) => ({
      ...record,
      verifier: {
        salt: decodeBase64(salt, PART),
        iterations,
        storedKey: decodeBase64(storedKey, PART),
        serverKey: decodeBase64(serverKey, PART),
      },
    })),
    formerSalts: new Map(Object.entries(formerSalts).map(([name, text]) => [name, decodeBase64(text, PART)])),
  };
}
