import type { ArgsDef } from "citty";
import type { Command, Completion, Program } from "../command.ts";
import { findFlag } from "../flags.ts";
import { BUILT_IN, programFlags } from "../program-flags.ts";

/** A word that may stand in the place of the typed one. */
export interface Candidate {
  readonly word: string;
  readonly description?: string | undefined;
}

/** The candidates for a word; or the shell shall offer files or folders of this machine. */
export interface Candidates {
  readonly kind: "words" | "files" | "folders";
  readonly candidates: readonly Candidate[];
}

/** What a line has before its last word. */
export interface TypedBefore {
  /** The command's name. */
  readonly command: string;
  /** The flags by their long names. */
  readonly flags: ReadonlyMap<string, string | true>;
}

/** Names that begin with `typed`, of a kind that only a server or the state folder can tell. */
export type FindNames = (kind: NameKind, typed: string, before: TypedBefore) => Promise<readonly string[]>;
export type NameKind = Exclude<Completion, readonly string[] | "file" | "folder" | "side">;

const NOTHING: Candidates = { kind: "words", candidates: [] };

/**
 * What may stand in the place of the last of `words`, which is incomplete or empty; the words before it follow the name
 * of the program.
 *
 * @throws as `find`
 */
export async function completeWords(program: Program, words: readonly string[], find: FindNames): Promise<Candidates> {
  const typed = words.at(-1) ?? "";
  const place = readBefore(program, words.slice(0, -1));
  if (place === undefined) return NOTHING;
  const { command, positionals, isAfterEnd, flags } = place;
  const args: ArgsDef = { ...program.commands[command ?? program.defaultCommand]?.args, ...BUILT_IN };
  const namesOf = (completion: Completion | undefined, text: string, prefix = "") =>
    candidatesFor(completion, text, prefix, (kind, name) =>
      find(kind, name, { command: command ?? program.defaultCommand, flags }),
    );
  if (place.open !== undefined) return namesOf(flagValue(program, command, place.open), typed);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  if (!isAfterEnd && flag !== undefined && value !== undefined)
    return namesOf(flagValue(program, command, flag), value, `${flag}=`);
  if (!isAfterEnd && typed.startsWith("-")) return flagCandidates(args, typed, flags);
  if (command === undefined && !isAfterEnd && place.positionals === 0) {
    const names = Object.entries(program.commands).filter(([name]) => name.startsWith(typed));
    if (names.length > 0)
      return { kind: "words", candidates: names.map(([word, { description }]) => ({ word, description })) };
  }
  const found = await namesOf(argumentOf(program, command, positionals), typed);
  // A name that looks like a flag is written in another way, unless a "--" is before it.
  const plain = found.candidates.map(({ word, ...rest }) => ({
    ...rest,
    word: word.startsWith("-") && !isAfterEnd ? `./${word}` : word,
  }));
  return { ...found, candidates: plain };
}

/** Where the words before the typed one lead to. */
interface Place {
  readonly command: string | undefined;
  /** The number of arguments so far. */
  readonly positionals: number;
  /** A flag that waits for its value. */
  readonly open: string | undefined;
  /** There was a `--`. */
  readonly isAfterEnd: boolean;
  /** The flags so far by their long names. */
  readonly flags: ReadonlyMap<string, string | true>;
}

/** @returns undefined when they make no sense */
function readBefore(program: Program, words: readonly string[]): Place | undefined {
  const all = programFlags(program);
  const flags = new Map<string, string | true>();
  let command: string | undefined;
  let positionals = 0;
  let isAfterEnd = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (isAfterEnd || !word.startsWith("-") || word === "-") {
      if (command !== undefined || isAfterEnd) positionals++;
      else if (Object.hasOwn(program.commands, word)) command = word;
      else if (argumentOf(program, undefined, positionals++) === undefined) return undefined;
      continue;
    }
    isAfterEnd = word === "--";
    if (isAfterEnd) continue;
    const [, flag = "", value] = /^([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const definition = findFlag(flag, { ...all, ...(command !== undefined && program.commands[command]?.args) });
    const name = flag.startsWith("--") ? flag.slice(2) : longName(flag.slice(1), all);
    if (definition === undefined || name === undefined) return undefined;
    if (definition.type === "boolean") flags.set(name, true);
    else if (value !== undefined) flags.set(name, value);
    else if (index + 1 === words.length) return { command, positionals, open: flag, isAfterEnd, flags };
    else flags.set(name, words[++index] as string);
  }
  return { command, positionals, open: undefined, isAfterEnd, flags };
}

function longName(short: string, all: ArgsDef): string | undefined {
  return Object.entries(all).find(([, arg]) => "alias" in arg && [arg.alias].flat().includes(short))?.[0];
}

/** What completes the value of a flag. */
function flagValue(program: Program, command: string | undefined, flag: string): Completion | undefined {
  const called = program.commands[command ?? program.defaultCommand] as Command;
  const own = findFlag(flag, called.args);
  const name = Object.keys(called.args).find((key) => called.args[key] === own);
  const arg = own ?? findFlag(flag, programFlags(program));
  if (own !== undefined && name !== undefined && called.completes?.[name] !== undefined) return called.completes[name];
  const hint = arg?.valueHint?.replace("…", "") ?? "";
  if (hint.includes("|")) return hint.split("|");
  return ({ FILE: "file", DIR: "folder", SERVER: "server" } as const)[hint];
}

/** What completes the next argument of a command. */
function argumentOf(program: Program, command: string | undefined, before: number): Completion | undefined {
  const called = program.commands[command ?? program.defaultCommand] as Command;
  const names = Object.entries(called.args).filter(([, { type }]) => type === "positional");
  const isVariadic = names.at(-1)?.[1].valueHint === "…";
  const name = (names[before] ?? (isVariadic ? names.at(-1) : undefined))?.[0];
  const completion = name === undefined ? undefined : called.completes?.[name];
  // Words are the beginning of a sentence, and do not follow themselves.
  return typeof completion === "object" && before >= names.length ? undefined : completion;
}

async function candidatesFor(
  completion: Completion | undefined,
  typed: string,
  prefix: string,
  find: (kind: NameKind, typed: string) => Promise<readonly string[]>,
): Promise<Candidates> {
  if (completion === undefined) return NOTHING;
  if (completion === "file") return { kind: "files", candidates: [] };
  if (completion === "folder") return { kind: "folders", candidates: [] };
  if (completion === "side") {
    const [, path] = /^:(.*)$/s.exec(typed) ?? [];
    return path === undefined
      ? { kind: "folders", candidates: [] }
      : candidatesFor("remote folder", path, `${prefix}:`, find);
  }
  const names = typeof completion === "string" ? await find(completion, typed) : completion;
  const fitting = names.filter((name) => name.startsWith(typed));
  return { kind: "words", candidates: fitting.map((name) => ({ word: prefix + name })) };
}

function flagCandidates(args: ArgsDef, typed: string, given: ReadonlyMap<string, unknown>): Candidates {
  const candidates = Object.entries(args)
    .filter(([name, { type }]) => type !== "positional" && !given.has(name) && `--${name}`.startsWith(typed))
    .map(([name, { description }]) => ({ word: `--${name}`, description }));
  return { kind: "words", candidates };
}
