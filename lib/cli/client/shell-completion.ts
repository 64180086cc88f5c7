import type { Client } from "../../client/client.ts";
import { escapeGlob } from "../../glob.ts";
import { escapeText } from "../escape.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import { SHELL_COMMANDS } from "./shell-commands.ts";
import type { ShellFolder } from "./shell-folder.ts";

/** The most paths that are offered. */
const MAX_COMPLETIONS = 100;
/** The most entries that are read to find them. */
const MAX_HEARD = 1_000;
/** How long the prompt waits for them, in milliseconds. */
const COMPLETION_MS = 2_000;

/**
 * Completions for a line: the name of a command, or a path of the repository. Waits for the server only as long as a
 * person would, and stops reading when no more entries can be used.
 */
export function completeLine(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal = AbortSignal.timeout(COMPLETION_MS),
): Promise<[string[], string]> {
  return unlessAborted(findEndings(client, folder, line, signal), signal, CLEAN_UP_MS).catch(() => [[], line]);
}

async function findEndings(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal: AbortSignal,
): Promise<[string[], string]> {
  const [, name = "", typed] = /^\s*(\S*)(?:\s+"?([^"]*))?$/.exec(line) ?? [];
  if (typed === undefined) {
    const names = Object.keys(SHELL_COMMANDS).filter((command) => command.startsWith(name.toLowerCase()));
    return [names.map((command) => `${command} `), name];
  }
  if (SHELL_COMMANDS[name.toLowerCase()]?.names !== "repository") return [[], line];
  const found: string[] = [];
  let heard = 0;
  const root = folder.path === "" ? "" : `${folder.path}/`;
  // The typed text is the beginning of a name, even if it looks like a pattern.
  for await (const { path, kind } of client.list(`${escapeGlob(root + typed)}*`, signal)) {
    // A completion must only extend what the user typed, so that nothing unseen enters the line.
    if (!path.startsWith(root + typed) || ++heard > MAX_HEARD) break;
    if (escapeText(path) !== path) continue;
    found.push(path.slice(root.length) + (kind === "folder" ? "/" : ""));
    if (found.length >= MAX_COMPLETIONS) break;
  }
  return [found, typed];
}
