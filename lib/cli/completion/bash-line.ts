import { longestCommonPrefix } from "./common-prefix.ts";
import type { Candidate } from "./complete-words.ts";

/**
 * Bash gives its line as it was typed, and puts a completion into it as it is. So the quoting of both is done here: a
 * name that a server made up must be nothing but a name to the shell.
 */

/** A line of bash up to the cursor. */
export interface BashLine {
  /** The words after the name of the program, without their quotes; the last one is incomplete. */
  readonly words: readonly string[];
  /** The quote that is open at the cursor. */
  readonly quote: "" | "'" | '"';
  /** What of the last word bash keeps: it replaces only what follows it. */
  readonly kept: string;
}

/** Characters that end a word, and may begin another command or a file of a redirection. */
const OPERATORS = /[;|&<>()]/;

/**
 * Read a line as bash does, without expanding anything.
 *
 * @param breaks COMP_WORDBREAKS: after one of these characters bash takes the rest for a word of its own
 * @returns undefined for what is no list of plain words: a redirection, `$'…'`
 */
export function readBashLine(line: string, breaks: string): BashLine | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let kept = 0;
  let quote: BashLine["quote"] = "";
  for (let index = 0; index < line.length; index++) {
    const character = line[index] as string;
    const next = line[index + 1] ?? "";
    if (quote === "'") {
      if (character === "'") quote = "";
      else word += character;
    } else if (character === "\\" && (quote === "" || /["$`\\\n]/.test(next))) {
      word = (word ?? "") + next;
      index++;
    } else if (quote === '"') {
      if (character === '"') quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      // Quotes of C and of translations have other rules.
      if (line[index - 1] === "$" && line[index - 2] !== "\\") return undefined;
      word ??= "";
      quote = character;
      kept = word.length;
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      kept = 0;
    } else if (OPERATORS.test(character)) {
      return undefined;
    } else {
      word = (word ?? "") + character;
      if (breaks.includes(character)) kept = word.length;
    }
  }
  const last = word ?? "";
  return { words: [...words.slice(1), last], quote, kept: last.slice(0, kept) };
}

/** What bash shall put into its line. */
export interface BashAnswer {
  readonly words: readonly string[];
  /** The word is not complete with it: no space may follow. */
  readonly isIncomplete: boolean;
}

/** The candidates for a line, in its open quote or without one. */
export function answerBash(candidates: readonly Candidate[], line: BashLine): BashAnswer {
  const { quote, kept } = line;
  const typed = line.words.at(-1) ?? "";
  const fitting = candidates.map(({ word }) => word).filter((word) => canQuote(word, quote) && word.startsWith(kept));
  // Of quoted words bash would find a common beginning that may end within a pair.
  const common = longestCommonPrefix(fitting);
  const isBeginning = fitting.length > 1 && common.length > typed.length;
  const words = (isBeginning ? [common] : fitting).map((word) => quoted(word.slice(kept.length), quote));
  return { words, isIncomplete: isBeginning || (fitting.length === 1 && /[/=]$/.test(common)) };
}

/** Some can't be written within the open quote: bash expands `!` there, `'` ends it, a `"` at the end does so, too. */
function canQuote(word: string, quote: BashLine["quote"]): boolean {
  if (quote === "'") return !word.includes("'");
  return quote === "" || !(word.includes("!") || word.endsWith('"'));
}

function quoted(text: string, quote: BashLine["quote"]): string {
  if (quote === "'") return text;
  if (quote === '"') return text.replace(/["$`\\]/g, "\\$&");
  return text.replace(/[^A-Za-z0-9_@%+=:,./\u{80}-\u{10ffff}-]/gu, "\\$&");
}
