import { existsSync } from "node:fs";
import { readTextFile } from "../../state/text-file.ts";
import type { Program } from "../command.ts";
import { type LazyProgram, loadProgram } from "../lazy-program.ts";
import { nearest } from "../nearest.ts";
import { UsageError } from "../usage-error.ts";
import { configPlaces } from "./config-places.ts";
import { type Setting, valueIn } from "./config-values.ts";
import { configurable } from "./configurable.ts";

/** A file of settings. */
export interface ConfigFile {
  readonly path: string;
  /** The setting of a command: the one in its table, else the one at the top. */
  settingOf(command: string, name: string): Setting | undefined;
}

/** Names that people may try; a file that others can read is no place for secrets. */
const SECRETS: Readonly<Record<string, string>> = {
  token: "token-file = FILE, or COMMSERVER_TOKEN",
  invite: "invite-file = FILE, or COMMSERVER_INVITE",
};

/**
 * Read the file that `chosen` names, or the first that exists in its usual places; undefined when there is none.
 *
 * @throws UsageError with file and line when it is no TOML, or has a key or a value that no command takes; StorageError
 *   when it can't be read
 */
export async function readConfigFile(
  program: LazyProgram,
  chosen: string | undefined,
): Promise<ConfigFile | undefined> {
  if (chosen !== undefined) return parseConfigFile(program, chosen, await readTextFile(chosen));
  // Most users have none: looking must cost next to nothing at each start.
  const place = configPlaces(program.name).find((each) => existsSync(each));
  return place === undefined ? undefined : parseConfigFile(program, place, await readTextFile(place));
}

async function parseConfigFile(lazy: LazyProgram, path: string, text: string): Promise<ConfigFile> {
  const fail = (line: number | undefined, why: string) =>
    new UsageError(`${path}${line === undefined ? "" : `, line ${line}`}: ${why}`);
  // Loaded only for those who have such a file.
  const { parse, TomlError } = await import("smol-toml");
  const program = await loadProgram(lazy);
  const lines = linesOf(text);
  const settings = new Map<string, Setting>();

  function take(table: string | undefined, known: ReturnType<typeof configurable>, values: object): void {
    for (const [name, value] of Object.entries(values)) {
      const key = table === undefined ? name : `${table}.${name}`;
      const line = lines.get(key) ?? lines.get(table ?? name);
      if (table === undefined && isTable(value) && Object.hasOwn(program.commands, name)) {
        take(name, configurable(program, name), value);
        continue;
      }
      const arg = known.get(name);
      if (arg === undefined) throw fail(line, unknownKey(name, table, program, [...known.keys()]));
      const taken = valueIn(value, arg);
      if (taken === undefined)
        throw fail(line, `${name} takes ${arg.type === "boolean" ? "true or false" : "a text or a number"}.`);
      settings.set(key, { value: taken, line });
    }
  }

  try {
    take(undefined, configurable(program), parse(text));
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const [why = ""] = thrown.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw fail(thrown.line, `${why}.`);
  }
  return { path, settingOf: (command, name) => settings.get(`${command}.${name}`) ?? settings.get(name) };
}

function unknownKey(name: string, table: string | undefined, program: Program, known: readonly string[]): string {
  const secret = Object.hasOwn(SECRETS, name) ? SECRETS[name] : undefined;
  if (secret !== undefined) return `A secret has no place in this file. Use ${secret}.`;
  const near = nearest(name.toLowerCase().replaceAll("_", "-"), [
    ...known,
    ...(table === undefined ? Object.keys(program.commands) : []),
  ]);
  const hint = near === undefined ? `See: ${program.name} config` : `Did you mean "${near}"?`;
  return `Unknown setting "${name}"${table === undefined ? "" : ` of ${table}`}. ${hint}`;
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The lines of keys and tables, as `key`, `table` and `table.key`. Only for messages: the parser knows no lines. */
function linesOf(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let table = "";
  for (const [index, line] of text.split("\n").entries()) {
    const [, head] = /^\s*\[+\s*["']?([^\]"']+?)["']?\s*\]/.exec(line) ?? [];
    const [, key] = /^\s*["']?([^\s"'=[#.]+)["']?\s*[=.]/.exec(line) ?? [];
    if (head !== undefined) table = `${head}.`;
    const name = head ?? (key === undefined ? undefined : `${table}${key}`);
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}
