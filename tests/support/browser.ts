import { type Browser, chromium, type Page } from "playwright-core";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** Why no browser can be started here; undefined when one can, or must (in CI). */
export const noBrowser =
  PROGRAMS.every((program) => Bun.which(program) === null) && process.env["CI"] === undefined
    ? "chromium: not installed"
    : undefined;
if (noBrowser !== undefined) console.warn(`Skipped: ${noBrowser}`);

/** Start the system's Chromium without a window. The caller closes it. */
export function startBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.map((program) => Bun.which(program)).find((path) => path !== null) ?? "chromium";
  const quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath, args: quiet, timeout: 120_000 });
}

/** A fresh profile's page; what it complains about ends up in `complaints`. */
export async function newPage(
  browser: Browser,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<Page & { complaints: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return Object.assign(page, { complaints });
}
