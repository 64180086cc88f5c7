import type { Operator } from "../../client/operator.ts";
import { formatBytes } from "../../format-bytes.ts";
import { addressee, checkText, formatSent } from "../client/send-command.ts";
import { parseShellFlags, requireNoWords, shellArgs } from "../client/shell-flags.ts";
import { splitWords } from "../client/shell-words.ts";
import { status as statusCommand, statusRecord, statusText } from "../client/status-command.ts";
import { escapeText } from "../escape.ts";
import { formatRows, formatTime, type Row } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import { forgetCode, runInviteLine } from "./invite-line.ts";
import { forgetLink, runLinkLine } from "./link-command.ts";
import { runMailboxLine } from "./mailbox-command.ts";
import type { Answer, AnswerIo } from "./operator-answer.ts";
import { parseOperatorLine } from "./operator-line.ts";
import { stopServer } from "./stop-command.ts";
import { forgetTokenLine, runTokenLine } from "./token-line.ts";

export interface OperatorCommand {
  readonly usage: string;
  readonly description: string;
  run(operator: Operator, rest: string, io: AnswerIo): Promise<Answer>;
  /**
   * The answer could not be shown, because of `cause`: undo a command whose result is lost.
   *
   * @throws CommError that says so
   */
  undo?(operator: Operator, rest: string, cause: unknown, facts: Answer["facts"]): Promise<void>;
}

export const OPERATOR_COMMANDS: Readonly<Record<string, OperatorCommand>> = {
  status: {
    usage: "status [--all]",
    description: "Show the server, its seats, and who is here; --all: the ledger",
    async run({ client }, rest, io) {
      const flags = parseShellFlags(splitWords(rest), shellArgs(statusCommand.args));
      const text = await statusText(client, flags, io);
      return { text, facts: { ...(await statusRecord(client, flags)) } };
    },
  },
  say: {
    usage: "say TEXT",
    description: "Send a message to all clients; several words need no say",
    run(operator, text) {
      if (text === "") throw new UsageError("Write a message: say TEXT");
      return sendMessage(operator, { to: "all", text });
    },
  },
  send: {
    usage: "@NAME TEXT",
    description: "Send a message to one client, or a name; also: send @NAME TEXT",
    run(operator, text) {
      if (text === "") throw new UsageError("Write a message: send TEXT");
      return sendMessage(operator, addressee(text, "all"));
    },
  },
  kick: {
    usage: "kick NAME [REASON]",
    description: "End a client's session at once",
    async run(operator, rest) {
      const [, name, reason] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
      if (name === undefined) throw new UsageError("Name a client: kick NAME");
      await operator.kick(name, reason || undefined);
      return { text: `${escapeText(name)} was kicked.`, facts: { kicked: name } };
    },
  },
  drain: {
    usage: "drain, drain off",
    description: "Admit no new clients; admit them again. Connected clients stay",
    async run(operator, rest) {
      const word = rest.toLowerCase();
      if (!["", "on", "off"].includes(word)) throw new UsageError("Write: drain, or drain off");
      const draining = word !== "off";
      await operator.drain(draining);
      const text = draining ? "New clients are not admitted." : "Clients are admitted again.";
      return { text, facts: { draining } };
    },
  },
  unfinished: {
    usage: "unfinished",
    description: "List unfinished transfers; they are removed after 7 days",
    async run(operator, rest) {
      requireNoWords(wordsOf(rest), "unfinished");
      const unfinished = await Array.fromAsync(operator.unfinished());
      const lines = unfinished.map(
        ({ path, size, modifiedAt }) =>
          `${formatBytes(size).padStart(8)}  ${formatTime(modifiedAt)}  ${escapeText(path)}`,
      );
      return { text: lines.join("\n") || "Nothing is unfinished.", facts: { unfinished } };
    },
  },
  token: {
    usage: "token add NAME [ROLE]",
    description:
      "Make a token; roles: read, write, operator; --folder PATH, --uses N and --expires 12h limit it. Also: token list, token revoke NAME",
    run: (operator, rest, io) => runTokenLine(operator, rest, io),
    undo: (operator, _, cause, facts) => forgetTokenLine(operator, facts, cause),
  },
  invite: {
    usage: "invite NAME [ROLE]",
    description: "Make a one-time code of ten digits, by which another machine joins with a new token",
    run: (operator, rest) => runInviteLine(operator, rest),
    undo: (operator, _, cause, facts) => forgetCode(operator, facts, cause),
  },
  link: {
    usage: "link PATH",
    description:
      "Make a link: anyone who has it can get its file over HTTP, for 7 days or --expires 12h. Also: link list, link revoke NAME",
    run: (operator, rest, io) => runLinkLine(operator, rest, io),
    undo: (operator, _, cause, facts) => forgetLink(operator, facts, cause),
  },
  mailbox: {
    usage: "mailbox list",
    description: "What is kept for names that are not here. Also: mailbox clear NAME",
    run: (operator, rest, io) => runMailboxLine(operator, rest, io),
  },
  stop: {
    usage: "stop",
    description: "Stop the server cleanly; asks first when clients are connected",
    async run(operator, rest, io) {
      requireNoWords(wordsOf(rest), "stop");
      return stopServer(operator, io);
    },
  },
  exit: {
    usage: "exit",
    description: "Leave this console; the server runs on (also: Ctrl-D)",
    run: async (_, rest, io) => leave(rest, io, "exit"),
  },
  quit: {
    usage: "quit",
    description: "The same as exit",
    run: async (_, rest, io) => leave(rest, io, "quit"),
  },
  version: {
    usage: "version",
    description: "Show the version of the server",
    async run({ client }, rest) {
      requireNoWords(wordsOf(rest), "version");
      const { agent } = (await client.status({ limit: 1 })).server;
      return { text: escapeText(agent), facts: { agent } };
    },
  },
  help: {
    usage: "help [COMMAND]",
    description: "This list, or what one command does; each also takes --json",
    async run(_, rest, io) {
      const [name, ...more] = wordsOf(rest.toLowerCase());
      const isKnown = name === undefined || Object.hasOwn(OPERATOR_COMMANDS, name);
      if (!isKnown) throw new UsageError(`Unknown command "${name}". help lists the commands.`);
      requireNoWords(more, `help ${name}`);
      const shown = Object.entries(OPERATOR_COMMANDS).filter(([word]) => name === undefined || word === name);
      const commands = shown.map(([, { usage, description }]) => ({ usage, description }));
      const rows = commands.map(({ usage, description }): Row => [usage, description]);
      return { text: formatRows(rows, io.outColumns), facts: { commands } };
    },
  },
};

/** @throws UsageError where there is no console to leave */
function leave(rest: string, io: AnswerIo, name: string): Answer {
  requireNoWords(wordsOf(rest), name);
  if (io.leave === undefined) throw new UsageError(`${name} leaves a console. To stop the server: console stop`);
  io.leave();
  return { text: "", facts: {} };
}

async function sendMessage(
  { client }: Operator,
  { to = "all", text }: { to: string | undefined; text: string },
): Promise<Answer> {
  const result = await client.send(checkText(text), to);
  const { delivered, failed, omitted, kept } = result;
  const more = { ...(omitted !== undefined && { omitted }), ...(kept && { kept }) };
  return { text: formatSent(result, to), facts: { delivered, failed, ...more } };
}

function wordsOf(rest: string): string[] {
  return rest.split(/\s+/).filter(Boolean);
}

/** The names of the commands, in the order of the help. */
export const OPERATOR_WORDS: readonly string[] = Object.keys(OPERATOR_COMMANDS);

/** An answer for programs. */
export function answerRecord({ text, facts }: Answer): object {
  return { text, ...facts };
}

/** Show an answer; `isJson`: the line asked for JSON. */
export type ShowAnswer = (answer: Answer, isJson: boolean) => Promise<void>;

/**
 * Run one line of the operator, a command in any letter case or a text for all, and show the answer.
 *
 * @throws as parseOperatorLine(), the command, and `show`
 */
export async function obeyOperator(operator: Operator, line: string, io: AnswerIo, show: ShowAnswer): Promise<void> {
  const parsed = parseOperatorLine(line, OPERATOR_WORDS);
  if (parsed.kind === "text") {
    return show(await sendMessage(operator, addressee(parsed.text, "all")), parsed.isJson);
  }
  const { name, rest, isJson } = asksHelp(parsed.rest) ? { ...parsed, name: "help", rest: parsed.name } : parsed;
  const command = OPERATOR_COMMANDS[name] as OperatorCommand;
  const answer = await command.run(operator, rest, io);
  try {
    await show(answer, isJson);
  } catch (cause) {
    await command.undo?.(operator, rest, cause, answer.facts);
    throw cause;
  }
}

function asksHelp(rest: string): boolean {
  return rest === "--help" || rest === "-h";
}
