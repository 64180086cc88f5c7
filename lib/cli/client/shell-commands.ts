import { escapeLines, escapeText } from "../escape.ts";
import { formatRows, type Row } from "../format.ts";
import { helpOf } from "../help.ts";
import { UsageError } from "../usage-error.ts";
import { VERSION } from "../version.ts";
import { countOf, formatTimes, measure, ping as pingCommand } from "./ping-command.ts";
import { sendTyped } from "./send-command.ts";
import { flagsOf, type ShellCall, type ShellCommand } from "./shell-call.ts";
import { FILE_COMMANDS } from "./shell-files.ts";
import { shellArgs } from "./shell-flags.ts";
import type { JobTerms } from "./shell-job.ts";
import { JOB_COMMANDS } from "./shell-job-commands.ts";
import type { ShellLine } from "./shell-line.ts";
import { LOCAL_COMMANDS } from "./shell-local.ts";
import { status as statusCommand, statusText } from "./status-command.ts";

const exit: ShellCommand = {
  usage: "exit, quit, bye",
  description: "Leave, as Ctrl-D does",
  isLocal: true,
  follows: "nothing",
  run: async () => 0,
};

const help: ShellCommand = {
  usage: "help, ? [COMMAND]",
  description: "This list, or what a command takes",
  isLocal: true,
  follows: "words",
  names: "commands",
  async run(call) {
    const { words, io } = call;
    const [word, ...more] = words;
    if (word === undefined || word.text === "--help") await io.out(`${allHelp(io)}\n`);
    else if (more.length === 0 && SHELL_COMMANDS[word.text.toLowerCase()] !== undefined)
      await showHelp(word.text.toLowerCase(), call);
    else throw new UsageError(`There is no command ${call.rest}. To send it as a message: send help ${call.rest}`);
    return 0;
  },
};

export const SHELL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  status: {
    usage: "status [--all]",
    description: "Who you are, the server, who is here; --all: who was",
    follows: "flags",
    args: statusCommand.args,
    async run(call) {
      await call.io.out(`${await statusText(call.client, flagsOf(call, statusCommand), call.io)}\n`);
      return 0;
    },
  },
  ...FILE_COMMANDS,
  ...LOCAL_COMMANDS,
  ...JOB_COMMANDS,
  send: {
    usage: "TEXT, @NAME TEXT, @all TEXT",
    description: "Send a message: to the server, to Client07, bob, all",
    follows: "text",
    async run({ client, words, io }) {
      const text = words[0]?.text ?? "";
      if (text === "") throw new UsageError("Write a message: send TEXT");
      await io.out(`${await sendTyped(client, text, undefined, io.outIsTty ? escapeLines : escapeText)}\n`);
      return 0;
    },
  },
  version: {
    usage: "version",
    description: "Show the versions of this program and the server",
    isLocal: true,
    follows: "nothing",
    async run({ client, io }) {
      await io.out(`commserver-client ${VERSION}, server: ${escapeText(client.serverAgent)}\n`);
      return 0;
    },
  },
  ping: {
    usage: "ping [--count N]",
    description: "Measure the round-trip time to the server",
    follows: "flags",
    args: pingCommand.args,
    async run(call) {
      // Once is enough: a person can ask again.
      const count = call.words.length === 0 ? 1 : countOf(flagsOf(call, pingCommand));
      await call.io.out(`${formatTimes(await measure(call.client, count, call.signal))}\n`);
      return 0;
    },
  },
  help,
  "?": help,
  exit,
  quit: exit,
  bye: exit,
};

/** Whether a line leaves the shell. */
export function isExit(line: string): boolean {
  return ["exit", "quit", "bye"].includes(line.trim().toLowerCase());
}

const KEYS: readonly Row[] = [
  ["Tab", "Complete; twice: show the names"],
  ["Ctrl-R", "Search what was typed; again: what is older"],
  ["Alt-Enter", "Begin another line of a message, as Esc and then Enter"],
];

/** Every command once. */
function allHelp(io: ShellCall["io"]): string {
  const rows = new Map(Object.values(SHELL_COMMANDS).map(({ usage, description }): Row => [usage, description]));
  const notes = ["A message like a command: send TEXT", "Flags of a command: help COMMAND"];
  return [formatRows([...rows, ...KEYS], io.outColumns), "", ...notes.map((line) => `  ${line}`)].join("\n");
}

/** A line that says something. */
export type SpokenLine = Exclude<ShellLine, { kind: "nothing" }>;

/** Whether a line can't begin without a link. */
export function needsLink(line: SpokenLine): boolean {
  if (line.kind === "text") return true;
  const { isLocal = false, isTransfer = false } = SHELL_COMMANDS[line.name] as ShellCommand;
  return !isLocal && !isTransfer && line.rest !== "--help";
}

/** Run a line, a message as `send`. @returns the exit code of the command; undefined is 0 @throws as the command */
export async function runLine(
  line: SpokenLine,
  given: Omit<ShellCall, "client" | "words" | "rest" | "here">,
): Promise<number | undefined> {
  const call = { ...given, here: process.cwd() };
  const { connection } = call;
  const { client } = connection;
  if (line.kind === "text") {
    const words = [{ text: line.text, isQuoted: true }];
    return SHELL_COMMANDS["send"]?.run({ ...call, client, words, rest: line.text });
  }
  const { name, words, rest } = line;
  if (rest === "--help") {
    await showHelp(name, call);
    return 0;
  }
  const command = SHELL_COMMANDS[name] as ShellCommand;
  if (command.follows === "nothing") flagsOf({ words }, { args: {} });
  if (command.isTransfer !== true) {
    if (line.isBackground) throw new UsageError(`${name} can't run in the background; only transfers can.`);
    return command.run({ ...call, client, words, rest });
  }
  const job = {
    command: `${name} ${rest}`.trim(),
    ask: call.ask,
    work: (terms: JobTerms) => command.run({ ...call, ...terms, client: connection.client, words, rest }),
  };
  if (!line.isBackground) return call.jobs.run(job, call);
  call.jobs.start(job);
  return 0;
}

/** What a command takes. */
async function showHelp(name: string, { io }: Pick<ShellCall, "io">): Promise<void> {
  const { usage, description, args } = SHELL_COMMANDS[name] as ShellCommand;
  await io.out(helpOf({ usage, description, args: args === undefined ? {} : shellArgs(args) }, io));
}
