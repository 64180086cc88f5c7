import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** How long the browser may take to read the file that sends it to the link, in milliseconds. */
const READ_MS = 30_000;

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/**
 * Open a link in the user's browser. The link holds a key, and the arguments of a process can be read by everybody on
 * this machine: so the browser is sent to a private file, which sends it to the link.
 *
 * @returns whether something here opens files; remove() removes the private file, which goes after a while in any case
 */
export function openBrowser(link: string): { readonly isOpened: boolean; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "commserver-"));
  const remove = () => {
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  };
  const timer = setTimeout(remove, READ_MS);
  timer.unref();
  const file = join(folder, "open.html");
  writeFileSync(
    file,
    `<!doctype html><meta http-equiv="refresh" content="0; url=${link}"><title>CommServer</title>\n`,
    {
      mode: 0o600,
    },
  );
  const opener = OPENERS[process.platform] ?? ["xdg-open"];
  try {
    Bun.spawn([...opener, pathToFileURL(file).href], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
    return { isOpened: true, remove };
  } catch {
    remove();
    return { isOpened: false, remove };
  }
}
