import type { ArgsDef } from "citty";
import { type Flags, findFlag, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS } from "./connect-settings.ts";

/** Flags that are given once, when the shell starts. */
const OF_THE_PROGRAM: ArgsDef = { ...CONNECTION_FLAGS, ...RECONNECT_FLAGS };

/** The flags of a command that may stand in a line of the shell. */
export function shellArgs(args: ArgsDef): ArgsDef {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !Object.hasOwn(OF_THE_PROGRAM, name)));
}

/**
 * Parse the text after a command in a line of the shell. Text without quotes is a single word: a name, whatever it
 * looks like, if the command takes names; otherwise it holds flags.
 *
 * @throws UsageError
 */
export function parseShellFlags(words: readonly string[], args: ArgsDef): Flags {
  const takesNames = Object.values(args).some(({ type }) => type === "positional");
  if (takesNames && words.length === 1) return parseFlags(["--", ...words], args);
  const all = takesNames ? words : words.flatMap((word) => word.split(/\s+/));
  for (const word of all) {
    if (word === "--") break;
    const [flag = ""] = word.split("=");
    if (word.startsWith("-") && findFlag(flag, args) === undefined && findFlag(flag, OF_THE_PROGRAM) !== undefined) {
      throw new UsageError(
        `${flag} can't be used in a line of the shell: give it to the program, or to a command outside the shell.`,
      );
    }
  }
  return parseFlags(all, args);
}

/** For a command that takes no words. @throws UsageError */
export function requireNoWords(words: readonly string[], name: string): void {
  if (words.length > 0)
    throw new UsageError(`${name} takes no words; to send a message that begins like this: send ${name} …`);
}
