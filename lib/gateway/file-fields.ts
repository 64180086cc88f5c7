import { create } from "content-disposition";
import mime from "mime";
import { baseName } from "../path.ts";

/** Fields that describe a file. */

/** Types whose content a browser would run, by itself or as part of a page. */
const RUNS =
  /^(?:text\/(?:html|xml|javascript|css)|image\/svg\+xml|application\/(?:[\w.+-]*\+xml|xml|xhtml|javascript|pdf))\b/;

/** The media type, by the name alone; bytes of any kind where the name says nothing. */
export function contentType(path: string): string {
  return mime.getType(baseName(path)) ?? "application/octet-stream";
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
