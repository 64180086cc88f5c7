import { create } from "content-disposition";
import mime from "mime";
import { baseName } from "../path.ts";
import type { OpenFile } from "../storage/storage.ts";

/** Fields that describe a file. */

/** Types whose content a browser would execute, directly or as part of a page. */
const RUNS =
  /^(?:text\/(?:html|xml|javascript|css)|image\/svg\+xml|application\/(?:[\w.+-]*\+xml|xml|xhtml|javascript|pdf))\b/;

/** The media type, by the name alone; application/octet-stream if the name does not tell. */
export function contentType(path: string): string {
  return mime.getType(baseName(path)) ?? "application/octet-stream";
}

/** Text types whose content does not name its own encoding. */
const PLAIN = /^text\/(?!html|xml)/;

/** The number of bytes by which a text's encoding is guessed. */
const JUDGED_BYTES = 4 * 1024;

/**
 * The media type of an open file, with the charset if it begins as UTF-8 text. @throws StorageError as OpenFile.read()
 */
export async function typeOf(file: OpenFile): Promise<string> {
  const type = contentType(file.entry.path);
  if (!PLAIN.test(type)) return type;
  const start = new Uint8Array(Math.min(JUDGED_BYTES, file.entry.size));
  const bytes = await file.read(start, 0);
  try {
    // The last character may be cut off.
    new TextDecoder("utf-8", { fatal: true }).decode(start.subarray(0, bytes), { stream: true });
  } catch {
    return type;
  }
  return `${type}; charset=utf-8`;
}

/**
 * Content-Disposition with both names: `filename` in ASCII for old clients, `filename*` for the rest (RFC 6266, RFC
 * 8187). Types that a browser would execute are attachments; all others are shown.
 */
export function contentDisposition(path: string, type = contentType(path)): string {
  const name = baseName(path);
  const ascii = name.replace(/[^\x20-\x7e]|["\\%/]/gu, "_");
  return create(name, { type: RUNS.test(type) ? "attachment" : "inline", fallback: ascii });
}

/** The value of `Digest` (RFC 3230), which aria2c verifies, and of `Repr-Digest` (RFC 9530). `sha256` in hexadecimal. */
export function digestFields(sha256: string): { digest: string; "repr-digest": string } {
  const base64 = Buffer.from(sha256, "hex").toString("base64");
  return { digest: `SHA-256=${base64}`, "repr-digest": `sha-256=:${base64}:` };
}
