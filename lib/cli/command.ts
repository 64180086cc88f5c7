import type { ArgsDef } from "citty";
import type { ConsoleIo } from "./console-io.ts";
import type { Flags } from "./flags.ts";

/** A command of one of the two programs. */
export interface Command {
  readonly description: string;
  readonly args: ArgsDef;
  /** Flags that only the command line sets, neither a file nor the environment: they belong to one call. */
  readonly typedOnly?: readonly string[];
  /** Check the values of configured flags, as far as that needs nothing but them. @throws UsageError */
  check?(flags: Flags): void;
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
