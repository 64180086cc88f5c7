import { callMeant } from "../meant.ts";
import { isSlip } from "../nearest.ts";
import { UsageError } from "../usage-error.ts";

/** The meaning of a line of the operator. */
export type OperatorLine =
  | { readonly kind: "command"; readonly name: string; readonly rest: string; readonly isJson: boolean }
  | { readonly kind: "text"; readonly text: string; readonly isJson: boolean };

/** Commands whose words are a text for people: `--json` stands before it. */
const OF_TEXT = ["say", "send"];

/** Commands with words, which a text may be meant for; with more words it is a sentence. */
const OF_WORDS = ["status", "kick", "drain", "token", "invite", "link", "mailbox"];
const MAX_WORDS = 4;

/**
 * Parse a line: a command in any letter case, or several words for all clients. `--json` may stand after the command or
 * after `@NAME`, and at the end of a command that takes no text.
 *
 * @throws UsageError for one word that is no command, and for a few words that begin like a mistyped one: they are more
 * likely meant for the server than for everybody
 */
export function parseOperatorLine(line: string, names: readonly string[]): OperatorLine {
  const text = line.trim();
  const [, first = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = first.toLowerCase();
  if (names.includes(name)) return { kind: "command", name, ...withoutJson(rest, OF_TEXT.includes(name)) };
  if (text.startsWith("@")) {
    const { rest: message, isJson } = withoutJson(rest, true);
    return { kind: "text", text: `${first} ${message}`.trim(), isJson };
  }
  if (rest === "") {
    const near = callMeant(name, names);
    const meant = near === undefined ? "help lists the commands." : `Did you mean "${near}"?`;
    throw new UsageError(`Unknown command "${first}". ${meant} To send it to all clients: say ${first}`);
  }
  const meant = OF_WORDS.find((word) => isSlip(name, word));
  const isShort = text.split(/\s+/).length <= MAX_WORDS;
  if (meant !== undefined && isShort)
    throw new UsageError(`Unknown command "${first}". Did you mean: ${meant} ${rest}? To send it to all: say ${text}`);
  return { kind: "text", text, isJson: false };
}

function withoutJson(rest: string, isText: boolean): { rest: string; isJson: boolean } {
  const [, after] = /^--json(?:\s+(.*))?$/s.exec(rest) ?? [];
  if (after !== undefined || rest === "--json") return { rest: after ?? "", isJson: true };
  const [, before] = isText ? [] : (/^(.*)\s--json$/s.exec(rest) ?? []);
  return before === undefined ? { rest, isJson: false } : { rest: before.trimEnd(), isJson: true };
}
