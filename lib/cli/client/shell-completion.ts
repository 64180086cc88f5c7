import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { escapeGlob } from "../../glob.ts";
import { longestCommonPrefix } from "../completion/common-prefix.ts";
import { escapeText } from "../escape.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import type { ShellCommand } from "./shell-call.ts";
import { SHELL_COMMANDS } from "./shell-commands.ts";
import { shellArgs } from "./shell-flags.ts";
import { localName, type ShellFolder } from "./shell-folder.ts";
import { isRemote, REMOTE_MARK } from "./sync-sides.ts";

/** The most names that are offered. */
const MAX_COMPLETIONS = 100;
/** The most entries that are read to find them. */
const MAX_HEARD = 1_000;
/** How long the prompt waits for them, in milliseconds. */
const COMPLETION_MS = 2_000;

/** The candidates, and the part of the line that they complete. */
type Completion = [string[], string];

/**
 * Completions for a line: the name of a command, a flag, a path of the repository or of this machine, or who is here,
 * after `@`. Waits for the server only as long as a person would, and stops reading when no more entries can be used.
 */
export function completeLine(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal = AbortSignal.timeout(COMPLETION_MS),
): Promise<Completion> {
  return unlessAborted(findEndings(client, folder, line, signal), signal, CLEAN_UP_MS).catch(() => [[], line]);
}

async function findEndings(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal: AbortSignal,
): Promise<Completion> {
  const [, person] = /^\s*@(\S*)$/.exec(line) ?? [];
  if (person !== undefined) return [beginning(await namesHere(client), person), person];
  const [, name = "", rest] = /^\s*(\S*)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (rest === undefined) return [beginning(Object.keys(SHELL_COMMANDS), name.toLowerCase()), name];
  const command = SHELL_COMMANDS[name.toLowerCase()];
  if (command?.names === undefined) return [[], line];
  const [, flag] = /(?:^|\s)(--?[a-z-]*)$/.exec(rest) ?? [];
  if (flag !== undefined) return [beginning(flagsOf(command), flag), flag];
  const typed = lastName(rest);
  const source: Source = { client, folder, signal, kind: command.names };
  if (command.names === "sides") return sidesFrom(source, /\S*$/.exec(typed)?.[0] ?? "");
  const found = await namesFrom(source, typed);
  if (found.length > 0 || !/^[^"'].*\s/.test(typed)) return [found, typed];
  // The name of several; one with blanks would need quotes.
  const word = /\S*$/.exec(typed)?.[0] ?? "";
  return [(await namesFrom(source, word)).filter((path) => !/\s/.test(path)), word];
}

function beginning(words: readonly string[], typed: string): string[] {
  return words.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase())).map((word) => `${word} `);
}

function flagsOf({ args }: ShellCommand): string[] {
  const flags = Object.entries(args === undefined ? {} : shellArgs(args)).filter(
    ([, { type }]) => type !== "positional",
  );
  return [...flags.map(([flag]) => `--${flag}`), "--help"];
}

/** What may be the beginning of a name: what follows an open quote, or else everything outside of closed ones. */
function lastName(rest: string): string {
  const open = /^(?:[^"'\s]\S*\s+|"(?:[^"\\]|\\.)*"\s+|'[^']*'\s+)*(?:"((?:[^"\\]|\\.)*)|'([^']*))$/.exec(rest);
  if (open !== null) return open[1] ?? open[2] ?? "";
  return /^(?:"(?:[^"\\]|\\.)*"\s+|'[^']*'\s+)*(.*)$/s.exec(rest)?.[1] ?? "";
}

interface Source {
  readonly client: Client;
  readonly folder: ShellFolder;
  readonly signal: AbortSignal;
  readonly kind: NonNullable<ShellCommand["names"]>;
}

/** Folders of this machine, or after a colon what the repository has. */
async function sidesFrom(source: Source, typed: string): Promise<Completion> {
  if (!isRemote(typed)) return [localNames(typed).filter((name) => !/\s/.test(name)), typed];
  const path = typed.slice(REMOTE_MARK.length);
  const found = await namesFrom(source, path);
  return [found.filter((name) => !/\s/.test(name)).map((name) => REMOTE_MARK + name), typed];
}

async function namesFrom({ client, folder, signal, kind }: Source, typed: string): Promise<string[]> {
  if (kind === "commands") return beginning(Object.keys(SHELL_COMMANDS), typed);
  if (kind === "here") return localNames(typed);
  const found: string[] = [];
  let heard = 0;
  const isRooted = folder.path === "" || typed.startsWith("/");
  const root = isRooted ? "" : `${folder.path}/`;
  const start = root + typed.replace(/^\/+/, "");
  const front = typed.startsWith("/") ? "/" : "";
  // The typed text is the beginning of a name, even if it looks like a pattern.
  for await (const { path, kind: is } of client.list(`${escapeGlob(start)}*`, signal)) {
    // A completion must only extend what the user typed, so that nothing unseen enters the line.
    if (!path.startsWith(start)) break;
    if (++heard > MAX_HEARD) return fewOf(found, typed, true);
    if (escapeText(path) !== path) continue;
    found.push(front + path.slice(root.length) + (is === "folder" ? "/" : ""));
  }
  return fewOf(found, typed, false);
}

/**
 * As many names as a person can read; the last one then says that there are more. The beginning that all offered names
 * share is put into the line, so it must be that of the others, too. `isCut`: there are names that were not read.
 */
function fewOf(found: readonly string[], typed: string, isCut: boolean): string[] {
  const sorted = [...found].sort();
  if (sorted.length === 0 || (sorted.length <= MAX_COMPLETIONS && !isCut)) return sorted;
  const [first = "", last = ""] = [sorted[0], sorted.at(-1)];
  const common = isCut ? first.slice(0, typed.length) : longestCommonPrefix([first, last]);
  return [...sorted.slice(0, MAX_COMPLETIONS - 1), `${common}…`];
}

/** Names of this machine. */
function localNames(typed: string): string[] {
  const at = typed.lastIndexOf("/") + 1;
  const [place, start] = [typed.slice(0, at), typed.slice(at)];
  const folder = place === "" ? "." : localName({ text: place, isQuoted: false });
  const names = readdirSync(folder).filter((name) => name.startsWith(start) && escapeText(name) === name);
  const shown = names.filter((name) => start !== "" || !name.startsWith("."));
  const marked = shown.slice(0, MAX_HEARD).map((name) => {
    const isFolder = statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true;
    return `${place}${name}${isFolder ? "/" : ""}`;
  });
  return fewOf(marked, typed, shown.length > MAX_HEARD);
}

/** To whom a message may go. */
async function namesHere(client: Client): Promise<string[]> {
  const { here = [] } = await client.status({ here: true, limit: 1 });
  const names = here.flatMap(({ name, token, nick }) => [
    name,
    ...(token === undefined ? [] : [token]),
    ...(nick === undefined ? [] : [`~${nick}`]),
  ]);
  return [...new Set(["all", ...names])].filter((name) => escapeText(name) === name).sort();
}
