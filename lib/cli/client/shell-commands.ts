import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { formatRows, type Row } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import { digest as digestCommand, showDigests } from "./digest-command.ts";
import { readFilter } from "./filter-flags.ts";
import { fetchAll, fetchRequest, get as getCommand } from "./get-command.ts";
import { list as listCommand, printEntries } from "./list-command.ts";
import { countOf, formatTimes, measure, ping as pingCommand } from "./ping-command.ts";
import { put as putCommand, sendAll, sendRequest } from "./put-command.ts";
import { removeAll, remove as removeCommand } from "./remove-command.ts";
import { namesOf, rename as renameCommand } from "./rename-command.ts";
import { sendTyped } from "./send-command.ts";
import { parseShellFlags, requireNoWords, shellArgs } from "./shell-flags.ts";
import { fetchStatus, formatStatus, limitOf, status as statusCommand } from "./status-command.ts";
import { typedPath } from "./typed-paths.ts";
import { printChanges, watch as watchCommand } from "./watch-command.ts";

export interface ShellCall {
  readonly connection: Connection;
  readonly client: Client;
  readonly words: readonly string[];
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
  /** Places that are neither sent nor written to. */
  readonly places: PrivatePlaces;
  /** Ask a yes/no question; absent where nobody can answer. */
  ask?(question: string): Promise<boolean>;
}

export interface ShellCommand {
  readonly usage: string;
  readonly description: string;
  /** @returns the exit code that the line would have as a command; undefined is 0 */
  run(call: ShellCall): Promise<number | undefined>;
}

const exit: ShellCommand = {
  usage: "exit",
  description: "Leave (also: quit, Ctrl-D)",
  async run({ words }) {
    requireNoWords(words, "exit");
  },
};

export const SHELL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  status: {
    usage: "status [--limit N]",
    description: "Who you are, the server, and its sessions",
    async run({ client, words, io }) {
      const limit = limitOf(flagsOf(words, statusCommand));
      await io.out(`${formatStatus(await fetchStatus(client, limit), io)}\n`);
    },
  },
  list: {
    usage: "list [GLOB]",
    description: "List files: all, a folder, or **/*.txt",
    async run({ client, words, io, signal }) {
      const flags = flagsOf(words, listCommand);
      await printEntries(client, { source: flags._[0], filter: await readFilter(flags, Date.now()), signal }, io);
    },
  },
  get: {
    usage: 'get PATH  or  get "PATH" [DEST] [--FLAG …]',
    description: "Fetch a file, folder or pattern",
    async run({ connection, words, io, signal, places, ask }) {
      const { flags, to } = transferFlags(getCommand, words, "Which file? get PATH");
      const request = await fetchRequest(to === undefined ? flags : { ...flags, output: to });
      return fetchAll(connection, request, { io, signal, places, ...(ask && { ask }) });
    },
  },
  put: {
    usage: 'put PATH  or  put "PATH" [DIR] [--FLAG …]',
    description: "Send a file, folder or pattern",
    async run({ connection, words, io, signal, places, ask }) {
      const { flags, to } = transferFlags(putCommand, words, "Which file? put PATH");
      const request = await sendRequest(to === undefined ? flags : { ...flags, to });
      return sendAll(connection, request, { io, signal, places, ...(ask && { ask }) });
    },
  },
  remove: {
    usage: 'remove PATH  or  remove "PATH" … --recursive',
    description: "Remove a file, or a folder and everything in it",
    run({ client, words, io }) {
      const flags = flagsOf(words, removeCommand, "Which file? remove PATH");
      const recursive = flags["recursive"] === true;
      return removeAll(client, flags._.map(typedPath), { recursive, io, json: false });
    },
  },
  rename: {
    usage: 'rename "FROM" "TO" [--overwrite]',
    description: "Rename or move a file or folder",
    async run({ client, words, io }) {
      const flags = flagsOf(words, renameCommand, 'Which file? rename "FROM" "TO"');
      const [from, to] = namesOf(flags._);
      await client.rename(from, to, flags["overwrite"] === true);
      await io.out(`Renamed ${escapeText(from)} to ${escapeText(to)}\n`);
    },
  },
  digest: {
    usage: "digest PATH",
    description: "The SHA-256 of a file, as sha256sum shows it",
    run({ client, words, io, signal }) {
      const flags = flagsOf(words, digestCommand, "Which file? digest PATH");
      return showDigests(client, flags._.map(typedPath), { io, json: false, signal });
    },
  },
  watch: {
    usage: "watch [GLOB]",
    description: "Show changes until Ctrl-C",
    async run({ client, words, io, signal }) {
      await printChanges(client, { source: flagsOf(words, watchCommand)._[0], json: false, signal, io });
    },
  },
  send: {
    usage: "TEXT, @NAME TEXT, @all TEXT",
    description: "Send a message to the server, a client or all",
    async run({ client, words, io }) {
      if (words.length === 0) throw new UsageError("Which message? send TEXT");
      await io.out(`${await sendTyped(client, words.join(" "))}\n`);
    },
  },
  ping: {
    usage: "ping [--count N]",
    description: "Measure the round-trip time to the server",
    async run({ client, words, io, signal }) {
      // Once is enough: a person can ask again.
      const count = words.length === 0 ? 1 : countOf(flagsOf(words, pingCommand));
      await io.out(`${formatTimes(await measure(client, count, signal))}\n`);
    },
  },
  help: {
    usage: "help",
    description: "This list",
    async run({ words, io }) {
      requireNoWords(words, "help");
      const shown = Object.values(SHELL_COMMANDS).filter((command, index, all) => all.indexOf(command) === index);
      const rows = shown.map(({ usage, description }): Row => [usage, description]);
      await io.out(`${formatRows(rows, io.outColumns)}\n  To send a text that begins like a command: send TEXT\n`);
    },
  },
  exit,
  quit: exit,
};

/** The flags and words after a command. @throws UsageError; with `missing` when there are none, and one is required */
function flagsOf(words: readonly string[], command: Command, missing?: string): Flags {
  if (words.length === 0 && missing !== undefined) throw new UsageError(missing);
  return parseShellFlags(words, shellArgs(command.args));
}

/** The flags of a line, and its second name, the destination. @throws UsageError */
function transferFlags(command: Command, words: readonly string[], missing: string): { flags: Flags; to?: string } {
  const flags = flagsOf(words, command, missing);
  const [source, to, ...more] = flags._;
  if (source === undefined || more.length > 0) throw new UsageError(`Too many names: "PATH" DEST`);
  return to === undefined ? { flags } : { flags: { ...flags, _: [source] }, to };
}
