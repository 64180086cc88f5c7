import { UsageError } from "../usage-error.ts";

/** A word of a line. A word that begins in quotes is neither a flag nor `~`. */
export interface ShellWord {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** What separates words, in front of one. */
const BLANKS = /\s*/y;
/** Text in quotes. Double ones may have `\"` and `\\` in them. */
const QUOTED = /"((?:[^"\\]|\\.)*)"|'([^']*)'/sy;
/** Everything up to a blank, a quote, or a backslash. */
const BARE = /[^\s"'\\]+/y;
/** A backslash before what would otherwise end the word, or mean something else. */
const ESCAPED = /\\([\s"'&])/y;

/**
 * The words of a text: pieces without blanks, in quotes, or with `\` before a blank, put together as in a POSIX shell.
 * Two differences keep names as they are: `it's` has no quote, since a letter comes before it; and a backslash before
 * any other character is one.
 *
 * @throws UsageError when a quote at the beginning of a word is not closed
 */
export function splitWords(text: string): ShellWord[] {
  const words: ShellWord[] = [];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  for (take(BLANKS); at < text.length; take(BLANKS)) {
    const start = at;
    let word = "";
    while (at < text.length && !/\s/.test(text.charAt(at))) {
      const quoted = isOpening(text, at, start) ? take(QUOTED) : null;
      if (quoted !== null) word += quoted[1]?.replace(/\\(["\\])/g, "$1") ?? quoted[2];
      else if (at === start && /["']/.test(text.charAt(at)))
        throw new UsageError(`A quote is not closed: ${text.slice(start).trim()}`);
      else word += take(BARE)?.[0] ?? take(ESCAPED)?.[1] ?? text.charAt(at++);
    }
    words.push({ text: word, isQuoted: /["']/.test(text.charAt(start)) });
  }
  return words;
}

/** Whether a quote there may open quoted text: an apostrophe after a letter or a digit is one. */
function isOpening(text: string, at: number, start: number): boolean {
  return text[at] === '"' || at === start || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1));
}

/**
 * The words without their quotes that may be one name: `docs/quick reference.txt`. Flags before and after it are left
 * out. undefined when there are fewer than two such words.
 */
export function unquotedName(rest: string): string | undefined {
  const [, name = ""] = /^(?:-\S+\s+)*(.*?)(?:\s+--?[A-Za-z].*)?$/s.exec(rest) ?? [];
  return /^[^"'-]\S*\s/.test(name) && !/"|\\\s/.test(name) ? name : undefined;
}
