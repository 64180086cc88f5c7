import { EXIT } from "../exit-codes.ts";
import { synonymOf } from "../meant.ts";
import { isSlip } from "../nearest.ts";
import { type Follows, parseShellLine, type ShellLine } from "./shell-line.ts";
import { unquotedName } from "./shell-words.ts";

type Commands = Readonly<Record<string, { readonly follows: Follows; readonly usage: string }>>;

/** Commands of other programs that nothing here replaces. */
const ABSENT = "bash chgrp chmod chown clear curl df echo grep head ln sh sort ssh sudo symlink tail touch umask vi wc";

/** A message has more words than this, as a rule. */
const FEW_WORDS = 3;

/**
 * What a person may have meant by a line: a message that looks like a command, or a command that found nothing and
 * looks like a message or like a name with blanks. undefined for any other line.
 *
 * @param outside the commands that the program has outside of the shell
 */
export function hintFor(
  typed: ShellLine | string,
  exit: number,
  commands: Commands,
  outside: readonly string[],
): string | undefined {
  const line = typeof typed === "string" ? parsed(typed, commands) : typed;
  if (line?.kind === "text") {
    const hint = exit === EXIT.DONE ? textHint(line.text, commands, outside) : undefined;
    return hint === undefined ? undefined : `That was sent as a message. ${hint}`;
  }
  if (line?.kind !== "command" || exit !== EXIT.NOT_FOUND) return undefined;
  if (/(?:^|\s)[|<>]+(?:\s|$)/.test(line.rest)) return `The shell has no pipes and no redirections, as "|" and ">".`;
  // Two names are a source and a destination.
  if (line.words.length <= 2 || unquotedName(line.rest) === undefined) return undefined;
  return `A name with blanks stands in quotes. As a message: send ${line.name} …`;
}

function parsed(text: string, commands: Commands): ShellLine | undefined {
  try {
    return parseShellLine(text, commands);
  } catch {
    return undefined; // the error has said what is wrong
  }
}

function textHint(text: string, commands: Commands, outside: readonly string[]): string | undefined {
  // Of several lines only a message is made, and a person has chosen that.
  if (text.includes("\n")) return undefined;
  const words = text.split(/\s+/);
  const first = (words[0] ?? "").toLowerCase();
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (command !== undefined) {
    if (command.follows === "numbers") return `The command is: ${command.usage}`;
    return `${first} is a command only when it stands alone.`;
  }
  if (words.length > FEW_WORDS) return undefined;
  if (outside.includes(first)) return `Outside of the shell there is: commserver-client ${first}`;
  if (/^![a-z]/.test(first)) return "The shell runs no programs of this machine.";
  if (ABSENT.split(" ").includes(first)) return `The shell has no command "${first}".`;
  if (/^l./.test(first) && Object.hasOwn(commands, first.slice(1)))
    return `The shell has no command "${first}"; on this machine it has lcd, lpwd and lls.`;
  const names = Object.keys(commands);
  const meant = synonymOf(first, names) ?? names.find((name) => isMistyped(first, name));
  return meant === undefined ? undefined : `Did you mean the command "${meant}"?`;
}

/** Short words are too much alike. */
function isMistyped(word: string, command: string): boolean {
  return word.length >= 3 && command.length >= 3 && isSlip(word, command);
}
