import type { Client } from "../../client/client.ts";
import { MAX_STATUS_ROWS } from "../../protocol/methods.ts";
import { escapeText } from "../escape.ts";
import type { Completion } from "../terminal/completion.ts";
import { OPERATOR_WORDS } from "./operator-commands.ts";

/** Words that may follow a command. */
const FOLLOWING: Readonly<Record<string, readonly string[]>> = {
  drain: ["off", "on"],
  token: ["add", "list", "revoke"],
  link: ["list", "revoke"],
  mailbox: ["clear", "list"],
};

/** Completions for a line of the operator: a command, what may follow it, or the name of a connected client. */
export async function completeOperatorLine(client: Client, line: string): Promise<Completion> {
  const [, first = "", second] = /^\s*(\S*)(?:\s+(\S*))?$/.exec(line) ?? [];
  const name = first.toLowerCase();
  if (second !== undefined) {
    if (name === "kick") return startingWith(second, await connectedNames(client));
    if (name === "send" && second.startsWith("@")) return completeName(client, second);
    return startingWith(second, Object.hasOwn(FOLLOWING, name) ? (FOLLOWING[name] ?? []) : []);
  }
  if (first.startsWith("@")) return completeName(client, first);
  return startingWith(first, OPERATOR_WORDS);
}

async function completeName(client: Client, typed: string): Promise<Completion> {
  const names = ["all", ...(await connectedNames(client))].map((name) => `@${name}`);
  return startingWith(typed, names);
}

async function connectedNames(client: Client): Promise<string[]> {
  const { sessions } = await client.status({ limit: MAX_STATUS_ROWS });
  return sessions.flatMap(({ name, endedAt }) => (endedAt === null && escapeText(name) === name ? name : []));
}

function startingWith(typed: string, words: readonly string[]): Completion {
  const fitting = words.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
  return { names: fitting.map((word) => `${word} `), typed };
}
