import type { Operator } from "../../client/operator.ts";
import { sendTyped } from "../client/send-command.ts";
import { parseShellFlags, requireNoWords, shellArgs } from "../client/shell-flags.ts";
import { fetchStatus, formatStatus, limitOf, status as statusCommand } from "../client/status-command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import { formatBytes, formatRows, formatTime, type Row } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import { forgetLink, runLinkLine } from "./link-command.ts";
import { forgetTokenLine, runTokenLine } from "./token-command.ts";

/** The facts of an answer, for programs. */
type Facts = Readonly<Record<string, unknown>>;

/** The text to show, alone or with its facts. */
type Answer = string | { readonly text: string; readonly facts: Facts };

/** Where the text is shown. */
type AnswerIo = Pick<ConsoleIo, "color" | "outColumns">;

export interface OperatorCommand {
  readonly usage: string;
  readonly description: string;
  run(operator: Operator, rest: string, io: AnswerIo): Promise<Answer>;
  /**
   * The answer could not be shown, because of `cause`: undo a command whose result is lost.
   *
   * @throws CommError that says so
   */
  undo?(operator: Operator, rest: string, cause: unknown, facts: Facts): Promise<void>;
}

export const OPERATOR_COMMANDS: Readonly<Record<string, OperatorCommand>> = {
  status: {
    usage: "status [--limit N]",
    description: "Show the server, its seats and its sessions",
    async run({ client }, rest, io) {
      const limit = limitOf(parseShellFlags(wordsOf(rest), shellArgs(statusCommand.args)));
      return formatStatus(await fetchStatus(client, limit), io);
    },
  },
  send: {
    usage: "TEXT, @all TEXT, @NAME TEXT",
    description: "Send a message to all clients, or to one",
    run: ({ client }, text) => {
      if (text === "") throw new UsageError("Which message? send TEXT");
      return sendTyped(client, text, "all");
    },
  },
  kick: {
    usage: "kick NAME [REASON]",
    description: "End a client's session at once",
    async run(operator, rest) {
      const [, name, reason] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
      if (name === undefined) throw new UsageError("Which client? kick NAME");
      await operator.kick(name, reason || undefined);
      return `${escapeText(name)} was kicked.`;
    },
  },
  drain: {
    usage: "drain, drain off",
    description: "Admit no new clients; admit them again. Connected clients stay",
    async run(operator, rest) {
      const word = rest.toLowerCase();
      if (!["", "on", "off"].includes(word)) throw new UsageError("Write: drain, or drain off");
      await operator.drain(word !== "off");
      return word === "off" ? "Clients are admitted again." : "New clients are not admitted.";
    },
  },
  unfinished: {
    usage: "unfinished",
    description: "List unfinished transfers; they are removed after 7 days",
    async run(operator, rest) {
      requireNoWords(wordsOf(rest), "unfinished");
      const lines: string[] = [];
      for await (const { path, size, modifiedAt } of operator.unfinished()) {
        lines.push(`${formatBytes(size).padStart(8)}  ${formatTime(modifiedAt)}  ${escapeText(path)}`);
      }
      return lines.join("\n") || "Nothing is unfinished.";
    },
  },
  token: {
    usage: "token add NAME [ROLE], token list, token revoke NAME",
    description: "Manage tokens; roles: read, write, operator",
    run: (operator, rest, io) => runTokenLine(operator, rest, io),
    undo: (operator, rest, cause) => forgetTokenLine(operator, rest, cause),
  },
  link: {
    usage: "link PATH, link list, link revoke NAME",
    description: "Manage links: anyone who has one can get its file over HTTP; for 7 days, or --expires 12h, 30d …",
    run: (operator, rest, io) => runLinkLine(operator, rest, io),
    undo: (operator, _, cause, facts) => forgetLink(operator, facts, cause),
  },
  quit: {
    usage: "quit",
    description: "Stop the server cleanly (also: exit)",
    async run(operator, rest) {
      requireNoWords(wordsOf(rest), "quit");
      await operator.quit();
      return "The server stops.";
    },
  },
  help: {
    usage: "help",
    description: "This list",
    async run(_, rest, io) {
      requireNoWords(wordsOf(rest), "help");
      const rows = Object.values(OPERATOR_COMMANDS).map(({ usage, description }): Row => [usage, description]);
      return formatRows(rows, io.outColumns);
    },
  },
};

function wordsOf(rest: string): string[] {
  return rest.split(/\s+/).filter(Boolean);
}

/**
 * Run one line of the operator, a command in any letter case or a text for all, and show the answer.
 *
 * @throws as the command, and as `show`
 */
export async function obeyOperator(
  operator: Operator,
  line: string,
  io: AnswerIo,
  show: (answer: string, facts: Facts) => Promise<void>,
): Promise<void> {
  const text = line.trim();
  const [, first = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = first.toLowerCase() === "exit" ? "quit" : first.toLowerCase();
  const command = Object.hasOwn(OPERATOR_COMMANDS, name) ? OPERATOR_COMMANDS[name] : undefined;
  const answer = await (command?.run(operator, rest, io) ?? sendTyped(operator.client, text, "all"));
  const { text: shown, facts } = typeof answer === "string" ? { text: answer, facts: {} } : answer;
  try {
    await show(shown, facts);
  } catch (cause) {
    await command?.undo?.(operator, rest, cause, facts);
    throw cause;
  }
}
