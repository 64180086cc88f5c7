import type { ArgsDef } from "citty";
import { type Flags, findFlag, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS } from "./connect-settings.ts";
import { NAMES_FILE_FLAGS } from "./names-file.ts";
import type { ShellWord } from "./shell-line.ts";

/** Flags that are given once, when the shell starts. */
const OF_THE_PROGRAM: ArgsDef = { ...CONNECTION_FLAGS, ...LINK_FLAGS, ...NAMES_FILE_FLAGS };

/** The flags of a command that may stand in a line of the shell. */
export function shellArgs(args: ArgsDef): ArgsDef {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !Object.hasOwn(OF_THE_PROGRAM, name)));
}

/**
 * Parse the words after a command. A word in quotes is a name, whatever it looks like, and so is a single word that is
 * no flag of the command.
 *
 * @throws UsageError
 */
export function parseShellFlags(words: readonly ShellWord[], args: ArgsDef): Flags {
  const argv = words.map((word) => (isName(word, words, args) ? `./${word.text}` : word.text));
  for (const word of argv) {
    if (word === "--") break;
    const [flag = ""] = word.split("=");
    if (word.startsWith("-") && findFlag(flag, args) === undefined && findFlag(flag, OF_THE_PROGRAM) !== undefined) {
      throw new UsageError(
        `${flag} can't be used in a line of the shell: give it to the program, or to a command outside the shell.`,
      );
    }
  }
  return parseFlags(argv, args);
}

/** True for a name that begins with a dash. */
function isName({ text, isQuoted }: ShellWord, all: readonly ShellWord[], args: ArgsDef): boolean {
  if (!text.startsWith("-") || text === "-") return false;
  if (isQuoted) return true;
  const takesNames = Object.values(args).some(({ type }) => type === "positional");
  const [flag = ""] = text.split("=");
  return takesNames && all.length === 1 && findFlag(flag, args) === undefined;
}

/** For a command that takes no words. @throws UsageError */
export function requireNoWords(words: readonly string[], name: string): void {
  if (words.length > 0)
    throw new UsageError(`${name} takes no words; to send a message that begins like this: send ${name} …`);
}
