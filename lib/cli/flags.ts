import { type ArgsDef, parseArgs } from "citty";
import { type Flags, noteOrigins } from "./configuration/origins.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

export type { Flags };

/**
 * Parse with citty, after the checks that it leaves out: unknown flags, flags without their value, values
 * for flags that take none, words for commands that take none. `--no-NAME` sets a flag without a value to false.
 *
 * @throws UsageError
 */
export function parseFlags(typedWords: readonly string[], args: ArgsDef): Flags {
  const { argv, words, typed, lists } = checkFlags(typedWords, args);
  const positionals = Object.entries(args).filter(([, arg]) => arg.type === "positional");
  const variadic = positionals.some(([, arg]) => arg.valueHint === "…");
  if (!variadic && words.length > positionals.length) {
    throw new UsageError(`Unexpected argument "${words[positionals.length]}".`);
  }
  const missing = positionals.slice(words.length).find(([, arg]) => arg.required !== false);
  if (missing !== undefined) throw new UsageError(`Missing argument: ${missing[0].toUpperCase()}.`);
  const flags: Flags = { ...parseArgs([...argv], args), ...lists, _: words };
  return noteOrigins(flags, new Map(typed.map((name) => [name, { kind: "flag" }])));
}

interface Checked {
  /** All words, with `-r -f` for `-rf`. */
  readonly argv: string[];
  /** The words that are not flags. */
  readonly words: string[];
  /** The names of the flags. */
  readonly typed: string[];
  /** All values of each flag that may be given several times. */
  readonly lists: Record<string, string[]>;
}

function checkFlags(given: readonly string[], args: ArgsDef): Checked {
  const argv = [...given];
  const words: string[] = [];
  const typed: string[] = [];
  const lists: Record<string, string[]> = {};
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    if (word === "--") return { argv, words: [...words, ...argv.slice(index + 1)], typed, lists };
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    argv.splice(index, 1, ...lettersOf(word, args));
    const [flag = "", value] = splitOnce(argv[index] as string, "=");
    const name = flagName(flag, args) ?? negatedName(flag, args);
    const arg = name === undefined ? undefined : args[name];
    if (name === undefined || arg === undefined) throw new UsageError(unknownFlag(flag, args));
    typed.push(name);
    if (arg.type === "boolean") {
      if (value !== undefined) throw new UsageError(`${flag} takes no value.`);
    } else if (value !== undefined && !flag.startsWith("--")) {
      // The parser would take "=value" for the value.
      throw new UsageError(`Write ${flag} ${value}, without "=".`);
    } else {
      const given = value ?? argv[++index];
      if (given === undefined || (value === undefined && given === "--"))
        throw new UsageError(`${flag} needs a value.`);
      if (isRepeatable(arg)) {
        lists[name] = [...(lists[name] ?? []), given];
      }
    }
  }
  return { argv, words, typed, lists };
}

/** `-r`, `-f` for `-rf`, if the first is a flag without a value; else the word itself. */
function lettersOf(word: string, args: ArgsDef): string[] {
  if (!/^-[A-Za-z0-9]{2,}$/.test(word) || findFlag(word, args) !== undefined) return [word];
  const letters = [...word.slice(1)].map((letter) => `-${letter}`);
  const isFlag = (flag: string) => findFlag(flag, args)?.type === "boolean";
  return letters.some(isFlag) ? letters : [word];
}

/** Whether a flag may be given several times: its value is shown as `VALUE…`. One with `VALUE,…` takes a list. */
export function isRepeatable({ valueHint = "" }: ArgsDef[string]): boolean {
  return valueHint.endsWith("…") && !valueHint.endsWith(",…");
}

/** The definition of a flag written as `--name` or `-x`. */
export function findFlag(flag: string, args: ArgsDef): ArgsDef[string] | undefined {
  const name = flagName(flag, args);
  return name === undefined ? undefined : args[name];
}

function flagName(flag: string, args: ArgsDef): string | undefined {
  if (flag.startsWith("--")) {
    const name = flag.slice(2);
    return Object.hasOwn(args, name) && args[name]?.type !== "positional" ? name : undefined;
  }
  const isMeant = (arg: ArgsDef[string]) => "alias" in arg && [arg.alias].flat().includes(flag.slice(1));
  return Object.entries(args).find(([, arg]) => isMeant(arg))?.[0];
}

/** The name of a flag without a value that is written as `--no-NAME`. */
function negatedName(flag: string, args: ArgsDef): string | undefined {
  const name = /^--no-(.+)$/.exec(flag)?.[1] ?? "";
  return Object.hasOwn(args, name) && args[name]?.type === "boolean" ? name : undefined;
}

/** More flags of one letter than these are not listed in an error. */
const MAX_LETTERS = 8;

function unknownFlag(flag: string, args: ArgsDef): string {
  const known = Object.entries(args).filter(([, arg]) => arg.type !== "positional");
  const near = nearest(
    flag.replace(/^-+/, ""),
    known.map(([name]) => name),
  );
  if (near !== undefined) return `Unknown flag ${flag}. Did you mean --${near}?`;
  const letters = known.flatMap(([, arg]) => ("alias" in arg ? [arg.alias].flat() : [])).map((name) => `-${name}`);
  if (known.length === 0) return `Unknown flag ${flag}: there are none here.`;
  return `Unknown flag ${flag}.${flag.startsWith("--") || letters.length === 0 || letters.length > MAX_LETTERS ? "" : ` Known: ${letters.join(", ")}.`}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
