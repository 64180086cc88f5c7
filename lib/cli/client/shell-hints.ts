import { EXIT } from "../exit-codes.ts";
import { isSlip } from "../nearest.ts";
import { type Follows, parseShellLine, type ShellLine, unquotedName } from "./shell-line.ts";

/** Words of other programs for our commands. */
const FOREIGN: Readonly<Record<string, string>> = {
  bg: "jobs",
  bye: "exit",
  copy: "get",
  cp: "get",
  delete: "remove",
  del: "remove",
  download: "get",
  fetch: "get",
  kill: "cancel",
  logout: "exit",
  mirror: "sync",
  more: "cat",
  less: "cat",
  rmdir: "remove",
  rsync: "sync",
  type: "cat",
  upload: "put",
  users: "status",
  wait: "fg",
  who: "status",
};

/** A message has more words than this, as a rule. */
const FEW_WORDS = 3;

/**
 * What a person may have meant by a line: a message that looks like a command, or a command that found nothing and
 * looks like a message or like a name with blanks. undefined for any other line.
 */
export function hintFor(
  typed: ShellLine | string,
  exit: number,
  commands: Readonly<Record<string, { follows: Follows }>>,
): string | undefined {
  const line = typeof typed === "string" ? parsed(typed, commands) : typed;
  if (line?.kind === "text") return exit === EXIT.DONE ? textHint(line.text, commands) : undefined;
  if (line?.kind !== "command" || exit !== EXIT.NOT_FOUND || line.words.length < 2) return undefined;
  const name = unquotedName(line.rest);
  if (name === undefined) return undefined;
  return `For one name with blanks, write ${line.name} "${name}". As a message: send ${line.name} …`;
}

function parsed(text: string, commands: Readonly<Record<string, { follows: Follows }>>): ShellLine | undefined {
  try {
    return parseShellLine(text, commands);
  } catch {
    return undefined; // the error has said what is wrong
  }
}

function textHint(text: string, commands: Readonly<Record<string, { follows: Follows }>>): string | undefined {
  const words = text.split(/\s+/);
  const first = (words[0] ?? "").toLowerCase();
  if (Object.hasOwn(commands, first))
    return `That was sent as a message: ${first} is a command only when it stands alone.`;
  if (words.length > FEW_WORDS) return undefined;
  const foreign = Object.hasOwn(FOREIGN, first) ? FOREIGN[first] : undefined;
  const meant = foreign ?? Object.keys(commands).find((name) => isMistyped(first, name));
  return meant === undefined ? undefined : `That was sent as a message. Did you mean the command "${meant}"?`;
}

/** Short words are too much alike. */
function isMistyped(word: string, command: string): boolean {
  return word.length >= 3 && command.length >= 3 && isSlip(word, command);
}
