import type { Program } from "../command.ts";
import type { Flags } from "../flags.ts";
import type { LazyProgram } from "../lazy-program.ts";
import { UsageError } from "../usage-error.ts";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { booleanOf } from "./config-values.ts";
import { configurable, variableOf } from "./configurable.ts";
import { isTyped, noteOrigins, type Origin, originOf, placeOf } from "./origins.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The file of settings that `--config` or COMMSERVER_CONFIG names, or the usual one. @throws as readConfigFile() */
export function findConfigFile(
  program: LazyProgram,
  flags: Flags,
  env: Environment = process.env,
): Promise<ConfigFile | undefined> {
  const chosen = flags["config"] ?? env[variableOf("config")];
  return readConfigFile(program, typeof chosen === "string" && chosen !== "" ? chosen : undefined);
}

export interface Configuration {
  readonly program: Program;
  /** The command's name. */
  readonly command: string;
  readonly file: ConfigFile | undefined;
  readonly env: Environment;
}

/**
 * The flags of a command line, completed: what it does not name comes from the environment, then from the file, then
 * from the flag's definition.
 *
 * @throws UsageError for a value that is neither true nor false where one must be
 */
export function configure(flags: Flags, { program, command, file, env }: Configuration): Flags {
  const values: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const name of Object.keys(flags)) if (isTyped(flags, name)) origins.set(name, { kind: "flag" });
  for (const [name, { type }] of configurable(program, command)) {
    if (isTyped(flags, name)) continue;
    const variable = variableOf(name);
    const text = env[variable];
    if (text !== undefined && text !== "") {
      values[name] = type === "boolean" ? yesOrNo(text, variable) : text;
      origins.set(name, { kind: "environment", variable });
      continue;
    }
    const setting = file?.settingOf(command, name);
    if (file === undefined || setting === undefined) continue;
    values[name] = setting.value;
    origins.set(name, { kind: "file", file: file.path, line: setting.line });
  }
  return noteOrigins({ ...flags, ...values, _: flags._ }, origins);
}

function yesOrNo(text: string, variable: string): boolean {
  const value = booleanOf(text);
  if (value === undefined) throw new UsageError(`${variable} takes true or false, not "${text}".`);
  return value;
}

/** An error about the value of a flag says where the value comes from, unless it was typed. */
export function withOrigin(thrown: unknown, flags: Flags | undefined): unknown {
  if (!(thrown instanceof UsageError) || flags === undefined) return thrown;
  const names = [...thrown.message.matchAll(/--([a-z][a-z-]*)/g)].map(([, name = ""]) => name);
  const places = names.map((name) => placeOf(originOf(flags, name))).filter((place) => place !== undefined);
  if (places.length === 0) return thrown;
  return new UsageError(`${[...new Set(places)].join("; ")}: ${thrown.message}`, { cause: thrown });
}
