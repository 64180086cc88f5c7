import { create } from "content-disposition";
import mime from "mime";
import { baseName } from "../path.ts";
import type { OpenFile } from "../storage/storage.ts";

/** Fields that describe a file. */

/** Types whose content a browser would run, by itself or as part of a page. */
const RUNS =
  /^(?:text\/(?:html|xml|javascript|css)|image\/svg\+xml|application\/(?:[\w.+-]*\+xml|xml|xhtml|javascript|pdf))\b/;

/** The media type, by the name alone; bytes of any kind where the name says nothing. */
export function contentType(path: string): string {
  return mime.getType(baseName(path)) ?? "application/octet-stream";
}

/** Text whose bytes do not name their own encoding. */
const PLAIN = /^text\/(?!html|xml)/;

/** Bytes of a text by which its encoding is judged. */
const JUDGED_BYTES = 4 * 1024;

/** The media type of an open file, with the charset of a text that begins as UTF-8. @throws StorageError as OpenFile.read() */
export async function typeOf(file: OpenFile): Promise<string> {
  const type = contentType(file.entry.path);
  if (!PLAIN.test(type)) return type;
  const start = new Uint8Array(Math.min(JUDGED_BYTES, file.entry.size));
  const bytes = await file.read(start, 0);
  try {
    // A character may be cut at the end.
    new TextDecoder("utf-8", { fatal: true }).decode(start.subarray(0, bytes), { stream: true });
  } catch {
    return type;
  }
  return `${type}; charset=utf-8`;
}

/**
 * Content-Disposition with both names: `filename` in ASCII for clients that know no other, `filename*` for the rest
 * (RFC 6266, RFC 8187). What a browser would run is an attachment, all else is shown.
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
