import { ProtocolError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/**
 * Formats and parses the messages of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS. Handles no keys.
 * Source: RFC 5802, section 7; RFC 7677; RFC 9266 for the binding.
 */

/** With and without channel binding. */
export const MECHANISMS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/**
 * The fewest and most rounds of PBKDF2 that a client accepts: RFC 7677 requires the minimum; the maximum bounds its
 * work.
 */
export const MIN_ITERATIONS = 4_096;
export const MAX_ITERATIONS = 100_000;

export const PROOF_BYTES = 32;

/** What base64 is in: see decodeBase64(). */
const PART = "A part of the proof";

/** Names of tokens: they need neither SASLprep nor escapes. */
const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
const BASE64 = "[A-Za-z0-9+/]+={0,2}";
/** Printable ASCII except the comma: a nonce, the client's own or with the server's part. */
const PRINTABLE = "[\\x21-\\x2b\\x2d-\\x7e]";
const CLIENT_NONCE = `${PRINTABLE}{18,128}`;
const NONCE = `${PRINTABLE}{18,256}`;

const CLIENT_FIRST = new RegExp(`^((?:p=[A-Za-z0-9.-]+|[ny]),(?:a=[^,]+)?,)(n=(${NAME}),r=(${CLIENT_NONCE}))$`);
const SERVER_FIRST = new RegExp(`^r=(${NONCE}),s=(${BASE64}),i=([1-9][0-9]{0,8})$`);
const CLIENT_FINAL = new RegExp(`^(c=(${BASE64}),r=(${NONCE})),p=(${BASE64})$`);
const SERVER_FINAL = new RegExp(`^v=(${BASE64})$`);

export interface ClientFirst {
  /** Part of the channel binding, exactly as it was sent. */
  readonly gs2Header: string;
  readonly bare: string;
  readonly name: string;
  readonly nonce: string;
}

export function isTokenName(text: string): boolean {
  return new RegExp(`^${NAME}$`).test(text);
}

/** The GS2 header, which announces the channel binding in the first message. */
export function gs2HeaderOf(mechanism: Mechanism): string {
  return mechanism === "SCRAM-SHA-256-PLUS" ? "p=tls-exporter,," : "n,,";
}

export function formatClientFirst(
  mechanism: Mechanism,
  name: string,
  nonce: string,
): { bare: string; message: string } {
  const bare = `n=${name},r=${nonce}`;
  return { bare, message: gs2HeaderOf(mechanism) + bare };
}

/** @throws ProtocolError BAD_PAYLOAD, as every function that parses a message */
export function parseClientFirst(message: string): ClientFirst {
  const [, gs2Header, bare, name, nonce] = match(CLIENT_FIRST, message, "first message of the client");
  return { gs2Header, bare, name, nonce };
}

export function formatServerFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
}

export function parseServerFirst(message: string): { nonce: string; salt: Uint8Array; iterations: number } {
  const [, nonce, salt, iterations] = match(SERVER_FIRST, message, "first message of the server");
  return { nonce, salt: decodeBase64(salt, PART), iterations: Number(iterations) };
}

/** The client's last message without its proof, which is computed over it. */
export function formatClientFinal(gs2Header: string, binding: Uint8Array, nonce: string): string {
  return `c=${encodeBase64(bindingInput(gs2Header, binding))},r=${nonce}`;
}

/** `cbind-input` of RFC 5802, on which both sides must agree. */
export function bindingInput(gs2Header: string, binding: Uint8Array): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode(gs2Header), ...binding]);
}

export function addProof(withoutProof: string, proof: Uint8Array): string {
  return `${withoutProof},p=${encodeBase64(proof)}`;
}

export function parseClientFinal(message: string): {
  withoutProof: string;
  binding: Uint8Array;
  nonce: string;
  proof: Uint8Array;
} {
  const [, withoutProof, binding, nonce, proof] = match(CLIENT_FINAL, message, "last message of the client");
  return { withoutProof, binding: decodeBase64(binding, PART), nonce, proof: decodeBase64(proof, PART) };
}

export function formatServerFinal(signature: Uint8Array): string {
  return `v=${encodeBase64(signature)}`;
}

export function parseServerFinal(message: string): Uint8Array {
  const [, signature] = match(SERVER_FINAL, message, "last message of the server");
  return decodeBase64(signature, PART);
}

export function authMessage(clientFirstBare: string, serverFirst: string, clientFinalWithoutProof: string): string {
  return `${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`;
}

/** XOR of two arrays of the same length, which turns keys into proofs and back. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] as number));
}

function match(
  pattern: RegExp,
  message: string,
  what: string,
): string[] & { 1: string; 2: string; 3: string; 4: string } {
  const found = pattern.exec(message);
  if (found === null) throw new ProtocolError("BAD_PAYLOAD", `The ${what} is not a SCRAM-SHA-256 message.`);
  return found as never;
}
