import type { ArgsDef } from "citty";
import type { Command, Program } from "../command.ts";

/** The flags that a file and the environment can set: for one command, or for any. */
export function configurable(program: Program, command?: string): ReadonlyMap<string, ArgsDef[string]> {
  const named = command === undefined ? undefined : program.commands[command];
  const commands = named === undefined ? Object.values(program.commands) : [named];
  return new Map(commands.flatMap(configurableOf));
}

function configurableOf({ args, typedOnly = [] }: Command): [string, ArgsDef[string]][] {
  return Object.entries(args).filter(([name, { type }]) => type !== "positional" && !typedOnly.includes(name));
}

/** The environment's name for a flag: `COMMSERVER_MAX_CLIENTS` for `--max-clients`. */
export function variableOf(name: string): string {
  return `COMMSERVER_${name.toUpperCase().replaceAll("-", "_")}`;
}
