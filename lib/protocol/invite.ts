import * as v from "valibot";
import { CommError } from "../errors.ts";
import { decodeJson } from "./json.ts";
import { formatToken, parseToken, type Token } from "./token.ts";

/**
 * Everything that a client needs to reach a server and to be admitted, in one line: `csinvite1_` and base64url of a
 * JSON object and a checksum of four bytes, which finds typing errors. Source: PROTOCOL.md, "Invites".
 */
export interface Invite {
  /** A name for the server; the client may choose another. */
  readonly label: string;
  /** `HOST:PORT`, the likeliest first. */
  readonly addresses: readonly string[];
  /**
   * The server's fingerprint; "authority" for a server with a certificate from a CA; null for a server without
   * encryption.
   */
  readonly identity: string | null;
  readonly token: Token;
}

export const BY_AUTHORITY = "authority";
const PREFIX = "csinvite1_";
const MAX_INVITE_LENGTH = 8 * 1024;
const CHECK_BYTES = 4;

const text = (maxLength: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(maxLength));

const Content = v.object({
  n: text(64),
  a: v.pipe(v.array(text(300)), v.minLength(1), v.maxLength(16)),
  i: v.nullable(v.union([v.literal(BY_AUTHORITY), v.pipe(v.string(), v.regex(/^SHA256:[A-Za-z0-9+/]{43}$/))])),
  t: text(200),
});

export function formatInvite({ label, addresses, identity, token }: Invite): string {
  const content = { n: label, a: addresses, i: identity, t: formatToken(token) };
  const json = new TextEncoder().encode(JSON.stringify(content));
  const bytes = new Uint8Array(json.length + CHECK_BYTES);
  bytes.set(json);
  new DataView(bytes.buffer).setUint32(json.length, fnv1a(json));
  return (
    PREFIX +
    btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace(/=+$/, "")
  );
}

/** @throws CommError MALFORMED, whose message does not quote the line: it holds a secret */
export function parseInvite(line: string): Invite {
  const invite = line.trim();
  if (!invite.startsWith(PREFIX))
    throw new CommError("MALFORMED", `This is not an invite: an invite begins with ${PREFIX}.`);
  try {
    if (invite.length > MAX_INVITE_LENGTH) throw new Error("too long");
    const base64 = invite.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const json = bytes.subarray(0, -CHECK_BYTES);
    if (new DataView(bytes.buffer).getUint32(json.length) !== fnv1a(json)) throw new Error("wrong check");
    const { n, a, i, t } = decodeJson(Content, json, "An invite");
    return { label: n, addresses: a, identity: i, token: parseToken(t) };
  } catch {
    // Without the cause: it could quote the invite.
    throw new CommError("MALFORMED", "The invite is damaged: copy the whole line again.");
  }
}

/** The same invite with as many of its addresses, and at least one, as fit in `maxLength` characters. */
export function shortenInvite(line: string, maxLength: number): string {
  const invite = parseInvite(line);
  for (let count = invite.addresses.length; ; count--) {
    const short = formatInvite({ ...invite, addresses: invite.addresses.slice(0, count) });
    if (short.length <= maxLength || count <= 1) return short;
  }
}

export function isInvite(line: string): boolean {
  return line.trim().startsWith(PREFIX);
}

/** FNV-1a with 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let digest = 0x811c9dc5;
  for (const byte of bytes) digest = Math.imul(digest ^ byte, 0x01000193) >>> 0;
  return digest;
}
