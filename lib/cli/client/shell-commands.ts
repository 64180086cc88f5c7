import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { UsageError } from "../../errors.ts";
import type { PrivatePlaces } from "../../storage/private-places.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { type Flags, parseFlags } from "../flags.ts";
import type { Command } from "../program.ts";
import { typedPath } from "./fetch-plan.ts";
import { fetchAll, fetchRequest, get as getCommand } from "./get.ts";
import { printEntries } from "./list.ts";
import { formatMs } from "./ping.ts";
import { put as putCommand, sendAll, sendRequest } from "./put.ts";
import { remove as removeCommand } from "./remove.ts";
import { rename as renameCommand } from "./rename.ts";
import { sendTyped } from "./send.ts";
import { fetchStatus, formatStatus } from "./status.ts";
import { printChanges } from "./watch.ts";

/** Paths offered as endings, at most. */
const MAX_COMPLETIONS = 100;

export interface ShellCall {
  readonly connection: Connection;
  readonly client: Client;
  readonly words: readonly string[];
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
  /** What is neither sent nor stored into. */
  readonly places: PrivatePlaces;
  /** A question that is answered with yes or no, where somebody sees it. */
  ask?(question: string): Promise<boolean>;
}

export interface ShellCommand {
  readonly usage: string;
  readonly description: string;
  /** @returns the exit code that it would have as a command; nothing is 0 */
  run(call: ShellCall): Promise<number | undefined>;
}

const exit: ShellCommand = { usage: "exit", description: "Leave (also: quit, Ctrl-D)", run: async () => {} };

export const SHELL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  status: {
    usage: "status",
    description: "Who you are, the server, and its sessions",
    async run({ client, io }) {
      await io.out(`${formatStatus(await fetchStatus(client, 20), io)}\n`);
    },
  },
  list: {
    usage: "list [GLOB]",
    description: "What there is: all, a folder, or **/*.txt",
    async run({ client, words, io, signal }) {
      await printEntries(client, words[0], signal, { out: io.out, note: io.note });
    },
  },
  get: {
    usage: 'get PATH  or  get "PATH" [DEST] [--FLAG …]',
    description: "Fetch a file, folder or pattern",
    run({ connection, words, io, signal, places, ask }) {
      const { flags, to } = transferFlags(getCommand, words, "Which file? get PATH");
      const request = fetchRequest(to === undefined ? flags : { ...flags, output: to });
      return fetchAll(connection, request, { io, signal, places, ...(ask && { ask }) });
    },
  },
  put: {
    usage: 'put PATH  or  put "PATH" [DIR] [--FLAG …]',
    description: "Send a file, folder or pattern",
    run({ connection, words, io, signal, places, ask }) {
      const { flags, to } = transferFlags(putCommand, words, "Which file? put PATH");
      const request = sendRequest(to === undefined ? flags : { ...flags, to });
      return sendAll(connection, request, { io, signal, places, ...(ask && { ask }) });
    },
  },
  remove: {
    usage: 'remove PATH  or  remove "PATH" --recursive',
    description: "Remove a file, or a folder with all below it",
    async run({ client, words, io }) {
      const flags = parseFlags(words, removeCommand.args);
      for (const path of flags._.map(typedPath)) {
        await client.remove(path, flags["recursive"] === true);
        await io.out(`Removed ${escapeText(path)}\n`);
      }
    },
  },
  rename: {
    usage: 'rename "FROM" "TO"',
    description: "Give a file or folder another path",
    async run({ client, words, io }) {
      const flags = parseFlags(words, renameCommand.args);
      const [from, to] = flags._.map(typedPath) as [string, string];
      await client.rename(from, to, flags["overwrite"] === true);
      await io.out(`Renamed ${escapeText(from)} to ${escapeText(to)}\n`);
    },
  },
  digest: {
    usage: "digest PATH",
    description: "The SHA-256 of a file, as sha256sum shows it",
    async run({ client, words, io }) {
      if (words.length !== 1) throw new UsageError("Of which file? digest PATH");
      const path = typedPath(words[0] as string);
      await io.out(`${(await client.digest(path)).sha256}  ${escapeText(path)}\n`);
    },
  },
  watch: {
    usage: "watch [GLOB]",
    description: "Tell what changes, until Ctrl-C",
    async run({ client, words, io, signal }) {
      await printChanges(client, { glob: words[0], json: false, signal, io });
    },
  },
  send: {
    usage: "TEXT, @NAME TEXT, @all TEXT",
    description: "A message to the server, a client, all",
    async run({ client, words, io }) {
      if (words.length === 0) throw new UsageError("What shall be sent? send TEXT");
      await io.out(`${await sendTyped(client, words.join(" "))}\n`);
    },
  },
  ping: {
    usage: "ping",
    description: "The round-trip time to the server",
    async run({ client, io }) {
      await io.out(`${formatMs(await client.ping())}\n`);
    },
  },
  help: {
    usage: "help",
    description: "This list",
    async run({ io }) {
      const shown = Object.values(SHELL_COMMANDS).filter((command, index, all) => all.indexOf(command) === index);
      const width = Math.max(...shown.map(({ usage }) => usage.length));
      const lines = shown.map(({ usage, description }) => `  ${usage.padEnd(width)}  ${description}\n`);
      await io.out(`${lines.join("")}  A text that begins like a command is sent with: send TEXT\n`);
    },
  },
  exit,
  quit: exit,
};

/** The flags of a line, and its second name: where to. @throws UsageError */
function transferFlags(command: Command, words: readonly string[], missing: string): { flags: Flags; to?: string } {
  const [path, ...rest] = words;
  if (path === undefined) throw new UsageError(missing);
  // One name without quotes is that name, whatever it looks like.
  const flags = parseFlags(rest.length === 0 ? ["--", path] : words, command.args);
  const [source, to, ...more] = flags._;
  if (source === undefined || more.length > 0) throw new UsageError(`Too many names: "PATH" DEST`);
  if (flags["json"] === true) throw new UsageError("The shell is for people: --json goes with the command itself.");
  return to === undefined ? { flags } : { flags: { ...flags, _: [source] }, to };
}

/** Endings for a line: a command's name, or for list and get a path of the repository. */
export async function completeLine(client: Client, line: string): Promise<[string[], string]> {
  const [, name = "", typed] = /^\s*(\S*)(?:\s+"?([^"]*))?$/.exec(line) ?? [];
  if (typed === undefined) {
    const names = Object.keys(SHELL_COMMANDS).filter((command) => command.startsWith(name.toLowerCase()));
    return [names.map((command) => `${command} `), name];
  }
  if (!["get", "list", "remove", "rename", "digest", "watch"].includes(name.toLowerCase()) || /[*?[\]{}]/.test(typed))
    return [[], line];
  const found: string[] = [];
  for await (const { path, kind } of client.list(`${typed}*`)) {
    // The line is typed on as it stands: with nothing that the person did not begin, nor could see.
    if (!path.startsWith(typed) || escapeText(path) !== path) continue;
    found.push(kind === "folder" ? `${path}/` : path);
    if (found.length >= MAX_COMPLETIONS) break;
  }
  return [found, typed];
}
