import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { longestCommonPrefix } from "../completion/common-prefix.ts";
import { escapeText } from "../escape.ts";
import type { Completion } from "../terminal/completion.ts";
import { CLEAN_UP_MS, unlessAborted } from "../unless-aborted.ts";
import { namesHere, pathsFrom } from "./server-names.ts";
import type { ShellCommand } from "./shell-call.ts";
import { SHELL_COMMANDS } from "./shell-commands.ts";
import { shellArgs } from "./shell-flags.ts";
import { localName, type ShellFolder } from "./shell-folder.ts";
import { isRemote, REMOTE_MARK } from "./sync-sides.ts";

/** The most names that are shown. */
const MAX_NAMES = 1_000;
/** How long the prompt waits for them, in milliseconds. */
const COMPLETION_MS = 2_000;

/**
 * Completions for a line: the name of a command, a flag, a path of the repository or of this machine, or who is here,
 * after `@`. Waits for the server only as long as a person would.
 */
export function completeLine(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal = AbortSignal.timeout(COMPLETION_MS),
): Promise<Completion> {
  return unlessAborted(findEndings(client, folder, line, signal), signal, CLEAN_UP_MS).catch(() => nothing(line));
}

function nothing(line: string): Completion {
  return { names: [], typed: line };
}

async function findEndings(
  client: Client,
  folder: ShellFolder,
  line: string,
  signal: AbortSignal,
): Promise<Completion> {
  const [, person] = /^\s*@(\S*)$/.exec(line) ?? [];
  if (person !== undefined) return beginning(await namesHere(client), person);
  const [, name = "", rest] = /^\s*(\S*)(?:\s+(.*))?$/s.exec(line) ?? [];
  if (rest === undefined) return { ...beginning(Object.keys(SHELL_COMMANDS), name), typed: name };
  const command = SHELL_COMMANDS[name.toLowerCase()];
  if (command?.names === undefined) return nothing(line);
  const [, flag] = /(?:^|\s)(--?[a-z-]*)$/.exec(rest) ?? [];
  if (flag !== undefined) return beginning(flagsOf(command), flag);
  const typed = lastName(rest);
  const source: Source = { client, folder, signal, kind: command.names, takes: () => true };
  const word = /\S*$/.exec(typed)?.[0] ?? "";
  const takes = (path: string) => !/\s/.test(path);
  if (command.names === "sides") return sidesFrom({ ...source, takes }, word);
  const found = await namesFrom(source, typed);
  if (found.names.length > 0 || !/^[^"'].*\s/.test(typed)) return found;
  // The name of several; one with blanks would need quotes.
  return namesFrom({ ...source, takes }, word);
}

function beginning(words: readonly string[], typed: string): Completion {
  const names = words.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase())).map((word) => `${word} `);
  return { names, typed };
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
  /** Whether a name can stand where it is typed. */
  takes(name: string): boolean;
}

/** Folders of this machine, or after a colon what the repository has. */
async function sidesFrom(source: Source, typed: string): Promise<Completion> {
  if (!isRemote(typed)) return localNames(typed, source.takes);
  const found = await namesFrom(source, typed.slice(REMOTE_MARK.length));
  const { common } = found;
  const names = found.names.map((name) => REMOTE_MARK + name);
  return { ...found, names, typed, ...(common !== undefined && { common: REMOTE_MARK + common }) };
}

async function namesFrom({ client, folder, signal, kind, takes }: Source, typed: string): Promise<Completion> {
  if (kind === "commands") return beginning(Object.keys(SHELL_COMMANDS), typed);
  if (kind === "here") return localNames(typed, takes);
  const isRooted = folder.path === "" || typed.startsWith("/");
  const root = isRooted ? "" : `${folder.path}/`;
  const front = typed.startsWith("/") ? "/" : "";
  const inFolder = (path: string) => front + path.slice(root.length);
  const found = await pathsFrom(client, root + typed.replace(/^\/+/, ""), {
    signal,
    max: MAX_NAMES,
    takes: ({ path }) => takes(inFolder(path)),
  });
  const names = found.names.map(inFolder).sort();
  if (found.total === names.length) return { names, typed };
  return { names, typed, common: inFolder(found.common), total: found.total };
}

/** Names of this machine. */
function localNames(typed: string, takes: (name: string) => boolean): Completion {
  const at = typed.lastIndexOf("/") + 1;
  const [place, start] = [typed.slice(0, at), typed.slice(at)];
  const folder = place === "" ? "." : localName({ text: place, isQuoted: false });
  const found = readdirSync(folder).filter(
    (name) =>
      name.startsWith(start) &&
      escapeText(name) === name &&
      (start !== "" || !name.startsWith(".")) &&
      takes(place + name),
  );
  const names = found
    .sort()
    .slice(0, MAX_NAMES)
    .map((name) => {
      const isFolder = statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === true;
      return `${place}${name}${isFolder ? "/" : ""}`;
    });
  if (names.length === found.length) return { names, typed };
  return { names, typed, common: place + longestCommonPrefix(found), total: found.length };
}
