import type { Command, Program } from "./command.ts";

/** A program whose commands are loaded when they are needed: a start takes as long as what it loads. */
export interface LazyProgram extends Omit<Program, "commands"> {
  readonly commands: Readonly<Record<string, () => Promise<Command>>>;
}

/** Load the commands with these names, or all. */
export async function loadProgram(
  program: LazyProgram,
  names: readonly string[] = Object.keys(program.commands),
): Promise<Program> {
  const load = async (name: string) => [name, await program.commands[name]?.()] as const;
  const loaded = await Promise.all(names.map(load));
  const commands = Object.fromEntries(loaded.flatMap(([name, command]) => (command ? [[name, command]] : [])));
  return { ...program, commands };
}
