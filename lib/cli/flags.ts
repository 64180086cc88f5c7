import { type ArgsDef, parseArgs } from "citty";
import { defaultStateDir } from "../state/state-dir.ts";
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

/** The candidate that shares a beginning with `word`, or differs from it in at most two letters. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  return candidates.find(
    (candidate) =>
      (word.length >= 2 && (candidate.startsWith(word) || word.startsWith(candidate))) ||
      distance(word, candidate) <= Math.min(2, word.length - 1),
  );
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The state folder that the flag names, or the usual one. @throws StorageError when the user has no home folder */
export function stateDirFlag(flags: Flags): string {
  return String(flags["state-dir"] ?? defaultStateDir());
}

/** A whole number from `min` to `max`. @throws UsageError */
export function integerFlag(flags: Flags, name: string, min: number, max: number): number {
  const text = String(flags[name]);
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 1e3,
  KB: 1e3,
  KIB: 1024,
  M: 1e6,
  MB: 1e6,
  MIB: 1024 ** 2,
  G: 1e9,
  GB: 1e9,
  GIB: 1024 ** 3,
  T: 1e12,
  TB: 1e12,
  TIB: 1024 ** 4,
};

/** A size in bytes: `500`, `64M`, `1.5GB`, `10 GiB`; undefined when the flag is absent. @throws UsageError */
export function sizeFlag(flags: Flags, name: string): number | undefined {
  if (flags[name] === undefined) return undefined;
  const text = String(flags[name]);
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = Math.round(Number(digits) * (SIZE_UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (digits !== "" && Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(`--${name} takes a size, such as 64M or 1.5GB, not "${text}".`);
}

const PERIODS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A period from now on, as `12h` or `30d`, as a time in milliseconds since 1970. @throws UsageError */
export function expiryFlag(flags: Flags, name: string, now: number): number | undefined {
  if (flags[name] === undefined) return undefined;
  const text = String(flags[name]);
  const [, count = "", unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (PERIODS[unit] ?? Number.NaN);
  if (ms > 0 && ms <= 100 * 365 * 86_400_000) return now + ms;
  throw new UsageError(`--${name} takes a period, such as 12h or 30d, not "${text}".`);
}

/** Seconds, with a fraction if need be, as milliseconds. @throws UsageError */
export function secondsFlag(flags: Flags, name: string): number {
  const text = String(flags[name]);
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 86_400))
    throw new UsageError(`--${name} takes seconds, such as 10 or 2.5, not "${text}".`);
  return Math.ceil(value * 1000);
}
