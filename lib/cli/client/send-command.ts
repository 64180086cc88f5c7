import type { Client } from "../../client/client.ts";
import { MAX_TEXT_LENGTH } from "../../protocol/constants.ts";
import type { SendResult } from "../../protocol/methods.ts";
import { secretIn } from "../../protocol/secret-text.ts";
import type { Command } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import { formatTime, plural } from "../format.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { withClient } from "./with-connection.ts";

export const send: Command = {
  description: "Send a message to the server, a client or all",
  args: {
    text: { type: "positional", description: "The message, in quotes; - reads it from standard input" },
    to: { type: "string", valueHint: "NAME", description: "Client07, a token's name, or all; default: the server" },
    ...CONNECTION_FLAGS,
  },
  completes: { to: "client" },
  async run(flags, io) {
    const word = flags._[0] as string;
    if (word === "-" && [flags["token-file"], flags["invite-file"]].includes("-")) {
      throw new UsageError("Standard input can't be both the message and a secret.");
    }
    const text = checkText(word === "-" ? (await Bun.stdin.text()).trimEnd() : word);
    const to = flags["to"] === undefined ? undefined : String(flags["to"]);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client) => {
      const result = await client.send(text, to);
      await io.out(settings.isJson ? `${toJson(result)}\n` : `${formatSent(result, to)}\n`);
      return 0;
    });
  },
};

/** @throws UsageError also when it holds a secret: messages are in logs, and others read them */
export function checkText(text: string): string {
  const secret = secretIn(text);
  if (secret !== undefined)
    throw new UsageError(`Not sent: the text holds ${secret}, which is a secret. To use it: commserver-client join`);
  if (text === "") throw new UsageError("The message is empty.");
  if (text.length > MAX_TEXT_LENGTH) throw new UsageError(`A message has at most ${MAX_TEXT_LENGTH} characters.`);
  return text;
}

/** Send a typed text; `@NAME text` goes to a client or to all. `makeSafe`: as formatSent(). @returns what to show */
export async function sendTyped(
  client: Client,
  typed: string,
  defaultTo?: string,
  makeSafe = escapeText,
): Promise<string> {
  const { to, text } = addressee(typed, defaultTo);
  return formatSent(await client.send(checkText(text), to), to, makeSafe);
}

/**
 * To whom a typed line goes, and its text: `@NAME text`, or `--to NAME text`, as outside of the shell.
 *
 * @throws UsageError when it is a name without a text
 */
export function addressee(typed: string, defaultTo: string | undefined): { to: string | undefined; text: string } {
  const [, to = defaultTo, text = typed] = /^(?:@|--to[ =]\s*)(\S+)\s+(.*)$/s.exec(typed) ?? [];
  if (/^--to(?:[ =]|$)/.test(text)) throw new UsageError("Write a message after the name: send --to NAME TEXT");
  if (/^@\S*$/.test(typed)) throw new UsageError(`Write a message after the name: ${typed} hello`);
  return { to, text };
}

/** The server's answer, or the clients that received the message, or for whom it is kept. `makeSafe` makes it safe. */
export function formatSent(result: SendResult, to: string | undefined, makeSafe = escapeText): string {
  const { text, delivered, failed, omitted, kept } = result;
  if (to === undefined || to.toLowerCase() === "server") return makeSafe(text);
  const isOne = delivered.length === 1 && delivered[0]?.toLowerCase() === to.toLowerCase();
  const names = delivered.join(", ");
  // A token's name, or a nick, stands for sessions.
  const shown = isOne || to.toLowerCase() === "all" ? names : `${to} (${names})`;
  const lines = [
    kept !== undefined
      ? `Kept for ${escapeText(kept.name)}${failed.length === 0 ? ", who is not here," : ""} until ${dayOf(kept.until)}.`
      : delivered.length === 0
        ? "Delivered to nobody."
        : `Delivered to ${escapeText(shown)}.`,
  ];
  for (const { name, message } of failed) lines.push(`Not delivered to ${escapeText(name)}: ${escapeText(message)}`);
  if (omitted !== undefined) lines.push(`… and ${plural(omitted, "more client")}.`);
  return lines.join("\n");
}

function dayOf(timestamp: number): string {
  return formatTime(timestamp).slice(0, 10);
}
