import type { ArgsDef } from "citty";
import type { ConsoleIo } from "./console-io.ts";
import type { Flags } from "./flags.ts";

/** A command of one of the two programs. */
export interface Command {
  readonly description: string;
  readonly args: ArgsDef;
  /** @returns the exit code */
  run(flags: Flags, io: ConsoleIo): Promise<number>;
}

export interface Program {
  readonly name: string;
  readonly description: string;
  readonly commands: Readonly<Record<string, Command>>;
  /** The command that runs when none is named. */
  readonly defaultCommand: string;
  /** Lines that a person could type. */
  readonly examples: readonly string[];
}
