import type { ArgsDef } from "citty";
import type { Client } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { endsSession, toCommError } from "../../errors.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import type { TransferTerms } from "./run-job.ts";
import { parseShellFlags, shellArgs } from "./shell-flags.ts";
import type { ShellFolder } from "./shell-folder.ts";
import type { Foreground, ShellJobs } from "./shell-jobs.ts";
import type { Follows } from "./shell-line.ts";
import { type ShellWord, unquotedName } from "./shell-words.ts";
import { typedPath } from "./typed-paths.ts";

/** One line of the shell under way. */
export interface ShellCall {
  readonly connection: Connection;
  readonly client: Client;
  readonly words: readonly ShellWord[];
  /** What follows the command, as it was typed. */
  readonly rest: string;
  readonly io: ConsoleIo;
  readonly signal: AbortSignal;
  /** Places that are neither sent nor written to. */
  readonly places: PrivatePlaces;
  /** The folder of the repository in which typed paths begin. */
  readonly folder: ShellFolder;
  /** Ask a yes/no question; absent where nobody can answer. */
  ask?(question: string): Promise<boolean>;
  readonly jobs: ShellJobs;
  /** As Foreground. */
  readonly onDetach?: Foreground["onDetach"];
  /** The folder of this machine when the line was typed. */
  readonly here: string;
  /** As TransferTerms: what a job adds. */
  readonly progress?: TransferTerms["progress"];
  readonly onResult?: TransferTerms["onResult"];
}

export interface ShellCommand {
  /** For `help`; aliases are in it, too. */
  readonly usage: string;
  readonly description: string;
  readonly follows: Follows;
  /** Its flags, as those of a command outside the shell. */
  readonly args?: ArgsDef;
  /** It works without a link. */
  readonly isLocal?: boolean;
  /** It may run in the background, and waits for the link by itself. */
  readonly isTransfer?: boolean;
  /** What the words after it name, for Tab. */
  readonly names?: "repository" | "here" | "sides" | "commands";
  /** @returns the exit code that the line would have as a command; undefined is 0 */
  run(call: ShellCall): Promise<number | undefined>;
}

/** The flags and words after a command. @throws UsageError; with `missing` when there are none, and one is required */
export function flagsOf(
  { words }: Pick<ShellCall, "words">,
  { args, completes }: Pick<Command, "args" | "completes">,
  missing?: string,
): Flags {
  if (words.length === 0 && missing !== undefined) throw new UsageError(missing);
  return parseShellFlags(words, shellArgs(args), (flag) => String(completes?.[flag] ?? "file") === "file");
}

/**
 * The names on a line: one for each word; or a single one, blanks included, where `exists` knows that name and nothing
 * is in quotes.
 */
export async function namesOn(
  { rest }: Pick<ShellCall, "rest">,
  names: readonly string[],
  exists: (name: string) => Promise<boolean> | boolean,
): Promise<string[]> {
  const whole = names.length > 1 ? unquotedName(rest) : undefined;
  return whole !== undefined && (await exists(whole)) ? [whole] : [...names];
}

/** As namesOn(), for names of the repository, as paths or patterns from its root. */
export async function remoteNames(call: ShellCall, names: readonly string[]): Promise<string[]> {
  const { client, folder } = call;
  const typed = await namesOn(call, names, (name) => isThere(client, folder.resolve(name)));
  return typed.map((name) => folder.resolve(name));
}

/** Whether the repository has something of that name. @throws the error that ends the session */
export async function isThere(client: Pick<Client, "stat">, path: string): Promise<boolean> {
  try {
    await client.stat(typedPath(path));
    return true;
  } catch (thrown) {
    if (endsSession(toCommError(thrown))) throw thrown;
    return false;
  }
}
