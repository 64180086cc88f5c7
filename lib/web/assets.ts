import favicon from "./built/favicon.svg.txt" with { type: "text" };
import icons from "./built/icons.svg.txt" with { type: "text" };
import style from "./built/page.css.txt" with { type: "text" };
import html from "./built/page.html.txt" with { type: "text" };
import script from "./built/page.js.txt" with { type: "text" };

/** The files of the page by their paths, as scripts/page.ts has built them. */
export const PAGE_FILES: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  "/": { type: "text/html; charset=utf-8", text: html },
  "/page.js": { type: "text/javascript; charset=utf-8", text: script },
  "/page.css": { type: "text/css; charset=utf-8", text: style },
  "/favicon.svg": { type: "image/svg+xml", text: favicon },
  "/icons.svg": { type: "image/svg+xml", text: icons },
};
