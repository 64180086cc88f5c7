import { createHash } from "node:crypto";
import { baseName } from "../path.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { encodeName } from "./request-target.ts";

/**
 * A folder as a page for people, and for programs that read links (rclone, lftp, wget). Each entry is one relative link
 * to its encoded name, without a query: some of these programs drop links that have one.
 */

const STYLE = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
h1{font-size:1.3rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{padding:.25rem .5rem;text-align:start;vertical-align:top}
td:first-child{overflow-wrap:anywhere;white-space:pre-wrap}
td+td,th+th{text-align:end;white-space:nowrap;font-variant-numeric:tabular-nums}
tbody tr:hover{background:color-mix(in srgb,currentColor 8%,transparent)}
.left{opacity:.75}`;

const STYLE_DIGEST = createHash("sha256").update(STYLE).digest("base64");

/** The page may only use its own style. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page up to its first entry. `path`: "" is the root. */
export function pageHead(path: string): string {
  const title = escapeHtml(`/${path}`);
  const up = path === "" ? "" : '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Bytes</th><th scope="col">Modified (UTC)</th></tr></thead>
<tbody>
${up}`;
}

export function pageRow({ path, kind, size, modifiedAt }: StorageEntry): string {
  const name = baseName(path);
  const shown = escapeHtml(kind === "folder" ? `${name}/` : name);
  const href = `${encodeName(name)}${kind === "folder" ? "/" : ""}`;
  // An entry that is neither file nor folder can't be fetched.
  const cell = kind === "file" || kind === "folder" ? `<a href="${href}">${shown}</a>` : shown;
  const iso = new Date(Math.floor(modifiedAt)).toISOString();
  const time = kind === "file" ? `<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time>` : "";
  const bytes = kind === "file" ? size.toLocaleString("en-US") : "";
  // lftp reads only the text of a row: without spaces, it takes the bytes and the year for one number.
  return `<tr><td>${cell}</td> <td>${bytes}</td> <td>${time}</td></tr>\n`;
}

/** The end of the page. `leftOut`: entries that could not be listed. */
export function pageEnd(leftOut: number): string {
  const left =
    leftOut === 0 ? "" : `<p class="left">${leftOut} ${leftOut === 1 ? "entry" : "entries"} can't be shown.</p>\n`;
  return `</tbody>\n</table>\n${left}</main>\n</body>\n</html>\n`;
}

/** Escape text for HTML, also inside quotes. Direction controls are shown as their codes. */
function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}
