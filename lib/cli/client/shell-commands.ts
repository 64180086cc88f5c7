import type { Client } from "../../client/client.ts";
import { toCommError, UsageError } from "../../errors.ts";
import type { ConsoleIo } from "../console-io.ts";
import { fetchFile, formatFetched, typedPath } from "./get.ts";
import { printEntries } from "./list.ts";
import { formatMs } from "./ping.ts";
import { sendTyped } from "./send.ts";
import { fetchStatus, formatStatus } from "./status.ts";

/** Paths offered as endings, at most. */
const MAX_COMPLETIONS = 100;

export interface ShellCall {
  readonly client: Client;
  readonly words: readonly string[];
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
  /** A question that is answered with yes or no. */
  ask(question: string): Promise<boolean>;
}

export interface ShellCommand {
  readonly usage: string;
  readonly description: string;
  run(call: ShellCall): Promise<void>;
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
    description: "What there is: a folder, a file or a pattern such as **/*.txt",
    run: ({ client, words, io, signal }) => printEntries(client, words[0], signal, { out: io.out, note: io.note }),
  },
  get: {
    usage: 'get PATH  or  get "PATH" DEST',
    description: "Fetch a file into this folder, or to DEST",
    run: runGet,
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

async function runGet({ client, words, io, signal, ask }: ShellCall): Promise<void> {
  const [path, output, ...more] = words;
  if (path === undefined) throw new UsageError("Which file? get PATH");
  if (more.length > 0) throw new UsageError('Too many names: get "PATH" DEST');
  const fetch = (overwrite: boolean) => fetchFile(client, typedPath(path), { output, overwrite, signal, io });
  const fetched = await fetch(false).catch(async (thrown) => {
    const error = toCommError(thrown);
    if (error.code !== "EXISTS" || !io.inIsTty || !(await ask(`${error.message} Replace it?`))) throw thrown;
    return fetch(true);
  });
  if (output !== "-") await io.out(`${formatFetched(fetched)}\n`);
}

/** Endings for a line: a command's name, or for list and get a path of the repository. */
export async function completeLine(client: Client, line: string): Promise<[string[], string]> {
  const [, name = "", typed] = /^\s*(\S*)(?:\s+"?([^"]*))?$/.exec(line) ?? [];
  if (typed === undefined) {
    const names = Object.keys(SHELL_COMMANDS).filter((command) => command.startsWith(name.toLowerCase()));
    return [names.map((command) => `${command} `), name];
  }
  if (!["get", "list"].includes(name.toLowerCase()) || /[*?[\]{}]/.test(typed)) return [[], line];
  const found: string[] = [];
  for await (const { path, kind } of client.list(`${typed}*`)) {
    found.push(kind === "folder" ? `${path}/` : path);
    if (found.length >= MAX_COMPLETIONS) break;
  }
  return [found, typed];
}
