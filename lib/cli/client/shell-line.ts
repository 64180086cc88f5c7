import { type ShellWord, splitWords } from "./shell-words.ts";

/** What may follow the name of a command. */
export type Follows = "nothing" | "flags" | "numbers" | "words" | "text";

/** The meaning of a line typed into the shell. */
export type ShellLine =
  | { readonly kind: "nothing" }
  | {
      readonly kind: "command";
      readonly name: string;
      readonly words: readonly ShellWord[];
      /** What follows the command, as it was typed. */
      readonly rest: string;
      /** The line ends with `&`. */
      readonly isBackground?: boolean;
    }
  /** Free text. */
  | { readonly kind: "text"; readonly text: string };

/**
 * Parse a line: a command in any letter case with its words, as splitWords() reads them, or free text. A command that
 * takes no words is one only when it stands alone, with flags, or with numbers: `exit now, thanks` is free text. So are
 * several lines.
 *
 * @throws UsageError when a quote is not closed
 */
export function parseShellLine(line: string, commands: Readonly<Record<string, { follows: Follows }>>): ShellLine {
  const text = line.trim();
  if (text === "") return { kind: "nothing" };
  const [, first = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = first.toLowerCase();
  // Of several lines only a message is made.
  if (text.includes("\n") && name !== "send") return { kind: "text", text };
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return { kind: "text", text };
  const { follows } = command;
  if (follows === "text" && !/^--help$/.test(rest)) return { kind: "command", name, words: [plain(rest)], rest };
  if (follows !== "words" && !isAlone(rest, follows)) return { kind: "text", text };
  const [, before] = follows === "words" ? (BACKGROUND.exec(rest) ?? []) : [];
  if (before === undefined) return { kind: "command", name, words: splitWords(rest), rest };
  return { kind: "command", name, words: splitWords(before), rest: before, isBackground: true };
}

/** `get PATH &`, also without the blank; a name that ends so stands in quotes. */
const BACKGROUND = /^(|.*?[^\\&\s])\s*&$/s;

/** Whether a command that takes no words may have these. */
function isAlone(rest: string, follows: Follows): boolean {
  if (rest === "" || rest === "--help") return true;
  // No message has only a flag: `jobs -l`.
  return /^--?[A-Za-z]\S*$/.test(rest) || (follows === "flags" && rest.startsWith("-")) || isNumbers(rest, follows);
}

function isNumbers(rest: string, follows: Follows): boolean {
  return follows === "numbers" && NUMBERS.test(rest);
}

const NUMBERS = /^(?:%?\d+|all)(?:\s+(?:%?\d+|all))*$/i;

/** Text that is a message as a whole; quotes around all of it are not part of it. */
function plain(rest: string): ShellWord {
  const [, quoted] = /^"([^"\\]*)"$/.exec(rest) ?? [];
  return { text: quoted ?? rest, isQuoted: true };
}
