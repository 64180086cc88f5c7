/** Build the page of `gui` into lib/web/built/, where lib/web/assets.ts embeds it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const WEB = join(ROOT, "lib/web");
/** The icons that the page shows, by their names in lucide. */
const ICONS = [
  "arrow-down-to-line",
  "arrow-left",
  "arrow-right",
  "arrow-up",
  "arrow-up-from-line",
  "check",
  "chevron-right",
  "circle-alert",
  "copy",
  "file",
  "file-archive",
  "file-audio",
  "file-code",
  "file-image",
  "file-text",
  "file-video",
  "folder",
  "folder-plus",
  "hard-drive",
  "hash",
  "link-2",
  "messages-square",
  "pause",
  "pencil",
  "play",
  "refresh-cw",
  "search",
  "send",
  "server",
  "trash-2",
  "users",
  "x",
] as const;

/** Build into the folder `built`. @throws Error with the bundler's messages */
export async function buildPage(built = join(WEB, "built")): Promise<void> {
  mkdirSync(built, { recursive: true });
  const [script, style] = await Promise.all([bundle("page.tsx"), bundle("page.css")]);
  await Promise.all([
    Bun.write(join(built, "page.js.txt"), script),
    Bun.write(join(built, "page.css.txt"), style),
    Bun.write(join(built, "page.html.txt"), Bun.file(join(WEB, "page.html"))),
    Bun.write(join(built, "favicon.svg.txt"), Bun.file(join(WEB, "favicon.svg"))),
    Bun.write(join(built, "icons.svg.txt"), await sprite()),
  ]);
}

async function bundle(entry: string): Promise<string> {
  const { success, logs, outputs } = await Bun.build({
    entrypoints: [join(WEB, entry)],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const [output] = outputs;
  if (!success || output === undefined) throw new Error(`Cannot build ${entry}:\n${logs.join("\n")}`);
  return output.text();
}

/** One drawing with all icons as symbols, which a page shows by their names. */
async function sprite(): Promise<string> {
  const symbols = await Promise.all(
    ICONS.map(async (icon) => {
      const svg = await Bun.file(join(ROOT, `node_modules/lucide-static/icons/${icon}.svg`)).text();
      const shapes = /<svg[^>]*>(.*)<\/svg>/s.exec(svg)?.[1] ?? "";
      return `<symbol id="${icon}" viewBox="0 0 24 24">${shapes.replace(/\s+/g, " ").trim()}</symbol>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

if (import.meta.main) await buildPage();
