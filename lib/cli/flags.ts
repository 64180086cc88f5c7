import { type ArgsDef, parseArgs } from "citty";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

/** The flags of a command: strings, booleans, and `_` with the words that are not flags. */
export type Flags = Record<string, unknown> & { readonly _: string[] };

/**
 * Parse with citty, after the checks that it leaves out: unknown flags, flags without their value, values
 * for flags that take none, words for commands that take none.
 *
 * @throws UsageError
 */
export function parseFlags(argv: readonly string[], args: ArgsDef): Flags {
  const words = checkFlags(argv, args);
  const positionals = Object.entries(args).filter(([, arg]) => arg.type === "positional");
  const variadic = positionals.some(([, arg]) => arg.valueHint === "…");
  if (!variadic && words.length > positionals.length) {
    throw new UsageError(`Unexpected argument "${words[positionals.length]}".`);
  }
  const missing = positionals.slice(words.length).find(([, arg]) => arg.required !== false);
  if (missing !== undefined) throw new UsageError(`Missing argument: ${missing[0].toUpperCase()}.`);
  return { ...parseArgs([...argv], args), _: words } as Flags;
}

/** @returns the words that are not flags */
function checkFlags(argv: readonly string[], args: ArgsDef): string[] {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    if (word === "--") return [...words, ...argv.slice(index + 1)];
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    const [flag = "", value] = splitOnce(word, "=");
    const arg = findFlag(flag, args);
    if (arg === undefined) throw new UsageError(unknownFlag(flag, args));
    if (arg.type === "boolean") {
      if (value !== undefined) throw new UsageError(`${flag} takes no value.`);
    } else if (value !== undefined) {
      // The parser would take "=value" for the value.
      if (!flag.startsWith("--")) throw new UsageError(`Write ${flag} ${value}, without "=".`);
    } else {
      index++;
      if (index >= argv.length || argv[index] === "--") throw new UsageError(`${flag} needs a value.`);
    }
  }
  return words;
}

/** The definition of a flag written as `--name` or `-x`. */
export function findFlag(flag: string, args: ArgsDef): ArgsDef[string] | undefined {
  if (flag.startsWith("--")) {
    const name = flag.slice(2);
    const arg = Object.hasOwn(args, name) ? args[name] : undefined;
    return arg?.type === "positional" ? undefined : arg;
  }
  return Object.values(args).find((arg) => "alias" in arg && [arg.alias].flat().includes(flag.slice(1)));
}

function unknownFlag(flag: string, args: ArgsDef): string {
  const known = Object.entries(args).filter(([, arg]) => arg.type !== "positional");
  const near = nearest(
    flag.replace(/^-+/, ""),
    known.map(([name]) => name),
  );
  return `Unknown flag ${flag}.${near === undefined ? "" : ` Did you mean --${near}?`}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
