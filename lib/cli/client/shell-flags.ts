import type { ArgsDef } from "citty";
import { type Flags, findFlag, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, RECONNECT_FLAGS } from "./connect-settings.ts";

/** What is said once, when the shell is started. */
const OF_THE_PROGRAM: ArgsDef = { ...CONNECTION_FLAGS, ...RECONNECT_FLAGS };

/** The flags of a command that may stand in a line of the shell. */
export function shellArgs(args: ArgsDef): ArgsDef {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !Object.hasOwn(OF_THE_PROGRAM, name)));
}

/**
 * What stands behind a command in a line of the shell. One word alone, which is all that is not in quotes, is a name,
 * whatever it looks like, where the command takes names; where it takes none, there are flags in it.
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
      throw new UsageError(`${flag} goes with the program or a command of its own, not with a line of the shell.`);
    }
  }
  return parseFlags(all, args);
}

/** For a command that takes nothing. @throws UsageError */
export function requireNoWords(words: readonly string[], name: string): void {
  if (words.length > 0) throw new UsageError(`${name} takes no words; a message that begins so: send ${name} …`);
}
