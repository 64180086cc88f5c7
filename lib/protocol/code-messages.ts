import { ProtocolError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Formats and parses the messages by which a one-time code is proven. Handles no keys. Source: PROTOCOL.md, "Codes". */

/** The suite of draft-irtf-cfrg-cpace. */
export const CODE_MECHANISM = "CPACE-RISTR255-SHA512";

/** What base64 is in: see decodeBase64(). */
const PART = "A part of the proof";

export const SHARE_BYTES = 32;
export const TAG_BYTES = 64;
/** The longest message, in characters: the last one, with an invite. */
export const MAX_CODE_MESSAGE = 3_072;
/** The longest invite that fits in, in characters. */
export const MAX_CODE_INVITE = 2_048;

const base64 = (bytes: number) => `[A-Za-z0-9+/]{${Math.ceil(bytes / 3) * 4 - ((3 - (bytes % 3)) % 3)}}=*`;
const CLIENT_FIRST = new RegExp(`^n=(\\d{3}),y=(${base64(SHARE_BYTES)})$`);
const SERVER_FIRST = new RegExp(`^y=(${base64(SHARE_BYTES)})$`);
const CLIENT_FINAL = new RegExp(`^t=(${base64(TAG_BYTES)})$`);
const SERVER_FINAL = new RegExp(`^t=(${base64(TAG_BYTES)}),i=([A-Za-z0-9+/]+=*)$`);

export function formatClientFirst(plate: string, share: Uint8Array): string {
  return `n=${plate},y=${encodeBase64(share)}`;
}

/** @throws ProtocolError BAD_PAYLOAD, as every function that parses a message */
export function parseClientFirst(message: string): { plate: string; share: Uint8Array } {
  const [plate, share] = match(CLIENT_FIRST, message);
  return { plate, share: bytesOf(share, SHARE_BYTES) };
}

export function formatServerFirst(share: Uint8Array): string {
  return `y=${encodeBase64(share)}`;
}

export function parseServerFirst(message: string): Uint8Array {
  return bytesOf(match(SERVER_FIRST, message)[0], SHARE_BYTES);
}

export function formatClientFinal(tag: Uint8Array): string {
  return `t=${encodeBase64(tag)}`;
}

export function parseClientFinal(message: string): Uint8Array {
  return bytesOf(match(CLIENT_FINAL, message)[0], TAG_BYTES);
}

export function formatServerFinal(tag: Uint8Array, sealed: Uint8Array): string {
  return `t=${encodeBase64(tag)},i=${encodeBase64(sealed)}`;
}

export function parseServerFinal(message: string): { tag: Uint8Array; sealed: Uint8Array } {
  const [tag, sealed] = match(SERVER_FINAL, message);
  return { tag: bytesOf(tag, TAG_BYTES), sealed: decodeBase64(sealed, PART) };
}

function match(pattern: RegExp, message: string): [string, string] {
  const found = pattern.exec(message);
  if (found === null) throw malformed();
  return [found[1] ?? "", found[2] ?? ""];
}

function bytesOf(text: string, length: number): Uint8Array {
  const bytes = decodeBase64(text, PART);
  if (bytes.length !== length) throw malformed();
  return bytes;
}

function malformed(): ProtocolError {
  return new ProtocolError("BAD_PAYLOAD", "A message of the proof of a code is malformed.");
}
