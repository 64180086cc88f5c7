import { UsageError } from "../usage-error.ts";

/** The meaning of a line typed into the shell. */
export type ShellLine =
  | { readonly kind: "nothing" }
  | { readonly kind: "command"; readonly name: string; readonly words: readonly string[] }
  /** Free text. */
  | { readonly kind: "text"; readonly text: string };

/**
 * Parse a line: a command in any letter case with its arguments, or free text. What follows the command
 * is one argument, so that names with spaces need no quotes; in double quotes there may be several.
 *
 * @throws UsageError when a quote is not closed
 */
export function parseShellLine(line: string, commands: readonly string[]): ShellLine {
  const text = line.trim();
  if (text === "") return { kind: "nothing" };
  const [, first = "", rest = ""] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const name = first.toLowerCase();
  if (!commands.includes(name)) return { kind: "text", text };
  return { kind: "command", name, words: splitWords(rest) };
}

/** A name without quotes that seems to have flags in it, as in `get big --overwrite`. */
const FLAGGED = /^(.*?\S)\s+(--[a-z].*|-[A-Za-z](?:\s.*)?)$/s;

/** A hint for a line that found nothing because its flags were read as part of a name; undefined for any other line. */
export function flagHint(line: ShellLine): string | undefined {
  const [word = "", ...others] = line.kind === "command" ? line.words : [];
  const [, path, flags] = FLAGGED.exec(word) ?? [];
  if (line.kind !== "command" || path === undefined || others.length > 0) return undefined;
  return `Put the name in quotes to add flags: ${line.name} "${path}" ${flags}`;
}

function splitWords(rest: string): string[] {
  if (rest === "") return [];
  if (!rest.startsWith('"')) return [rest];
  const words: string[] = [];
  const word = /\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s]\S*))(?=\s|$)/y;
  while (word.lastIndex < rest.length) {
    const start = word.lastIndex;
    const match = word.exec(rest);
    if (match === null) {
      if (rest.slice(start).trim() === "") break;
      throw new UsageError(`A quote is not closed: ${rest.slice(start).trim()}`);
    }
    words.push(match[1]?.replace(/\\(["\\])/g, "$1") ?? (match[2] as string));
  }
  return words;
}
