import type { ArgsDef } from "citty";
import type { ConsoleIo } from "./console-io.ts";
import type { Flags } from "./flags.ts";

/** What stands in the place of a word, for completion: the words themselves, or the kind of name. */
export type Completion =
  | readonly string[]
  /** Of this machine; the shell completes them. */
  | "file"
  | "folder"
  /** A file or folder of the server's repository; a folder of it. */
  | "remote"
  | "remote folder"
  /** A folder of this machine, or one of the repository after a colon. */
  | "side"
  /** A server that is known here. */
  | "server"
  /** A client that is at the server, or all. */
  | "client";

/** A command of one of the two programs. */
export interface Command {
  readonly description: string;
  readonly args: ArgsDef;
  /** Flags that only the command line sets, neither a file nor the environment: they belong to one call. */
  readonly typedOnly?: readonly string[];
  /** It runs whatever the file of settings and the environment say. */
  readonly withoutSettings?: true;
  /** Check the values of configured flags, as far as that needs nothing but them. @throws UsageError */
  check?(flags: Flags): void;
  /** What completes an argument or the value of a flag, where the value's hint (FILE, DIR, a|b) does not say it. */
  readonly completes?: Readonly<Record<string, Completion>>;
  /**
   * `reread` completes the typed flags again, by the file of settings as it is then.
   *
   * @returns the exit code
   */
  run(flags: Flags, io: ConsoleIo, reread?: () => Promise<Flags>): Promise<number>;
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
