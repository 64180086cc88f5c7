import { UsageError } from "../usage-error.ts";

/** A word of a line. What is in quotes is neither a flag nor `~`. */
export interface ShellWord {
  readonly text: string;
  readonly isQuoted: boolean;
}

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
      /** The line ends with ` &`. */
      readonly isBackground?: boolean;
    }
  /** Free text. */
  | { readonly kind: "text"; readonly text: string };

/**
 * Parse a line: a command in any letter case with its words, or free text. Words are separated by blanks; in double or
 * single quotes they may have blanks, and in double quotes `\"` and `\\` stand for `"` and `\`. A command that takes no
 * words is one only when it stands alone, with flags, or with numbers: `exit now, thanks` is free text. So are several
 * lines.
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
  const words = splitWords(rest);
  const last = words.at(-1);
  if (follows !== "words" || last?.text !== "&" || last.isQuoted) return { kind: "command", name, words, rest };
  const before = rest.replace(/\s*&$/, "");
  return { kind: "command", name, words: words.slice(0, -1), rest: before, isBackground: true };
}

/** Whether a command that takes no words may have these. */
function isAlone(rest: string, follows: Follows): boolean {
  if (rest === "" || rest === "--help") return true;
  return (follows === "flags" && rest.startsWith("-")) || (follows === "numbers" && NUMBERS.test(rest));
}

const NUMBERS = /^(?:%?\d+|all)(?:\s+(?:%?\d+|all))*$/i;

/** Text that is a message as a whole; quotes around all of it are not part of it. */
function plain(rest: string): ShellWord {
  const [, quoted] = /^"([^"\\]*)"$/.exec(rest) ?? [];
  return { text: quoted ?? rest, isQuoted: true };
}

/** A word: in double quotes, in single ones, or without. A quote begins only at the beginning of a word. */
const WORD = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^"'\s]\S*))(?=\s|$)/y;

/** @throws UsageError when a quote is not closed */
export function splitWords(rest: string): ShellWord[] {
  const words: ShellWord[] = [];
  WORD.lastIndex = 0;
  while (rest.slice(WORD.lastIndex).trim() !== "") {
    const start = WORD.lastIndex;
    const [, double, single, bare] = WORD.exec(rest) ?? [];
    const text = double?.replace(/\\(["\\])/g, "$1") ?? single ?? bare;
    if (text === undefined) throw new UsageError(`A quote is not closed: ${rest.slice(start).trim()}`);
    words.push({ text, isQuoted: bare === undefined });
  }
  return words;
}

/**
 * The words without their quotes that may be one name: `docs/quick reference.txt`. Flags before and after it are left
 * out. undefined when there are fewer than two such words.
 */
export function unquotedName(rest: string): string | undefined {
  const [, name = ""] = /^(?:-\S+\s+)*(.*?)(?:\s+--?[A-Za-z].*)?$/s.exec(rest) ?? [];
  return /^[^"'-]\S*\s/.test(name) && !name.includes('"') ? name : undefined;
}
