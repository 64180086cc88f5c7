import type { ArgsDef } from "citty";
import { type Flags, findFlag, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { CONNECTION_FLAGS, LINK_FLAGS } from "./connect-settings.ts";
import { NAMES_FILE_FLAGS } from "./names-file.ts";
import { localName } from "./shell-folder.ts";
import type { ShellWord } from "./shell-words.ts";

/** Flags that are given once, when the shell starts. */
const OF_THE_PROGRAM: ArgsDef = { ...CONNECTION_FLAGS, ...LINK_FLAGS, ...NAMES_FILE_FLAGS };

/** The flags of a command that may stand in a line of the shell. */
export function shellArgs(args: ArgsDef): ArgsDef {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !Object.hasOwn(OF_THE_PROGRAM, name)));
}

/**
 * Parse the words after a command. A word in quotes is a name, whatever it looks like, and so is a single word that
 * looks like no flag: `-x.txt`.
 *
 * @param isLocal whether the value of a flag names something of this machine, where `~` is the user's home
 * @throws UsageError
 */
export function parseShellFlags(
  words: readonly ShellWord[],
  args: ArgsDef,
  isLocal: (flag: string) => boolean = () => true,
): Flags {
  const argv = words.map((word, index) => {
    if (isName(word, words, args)) return `./${word.text}`;
    const [, flag = "", value = ""] = /^(--?[\w-]+)=(~.*)$/s.exec(word.text) ?? [];
    if (takesPlace(flag, args, isLocal)) return `${flag}=${localName({ text: value, isQuoted: word.isQuoted })}`;
    const before = words[index - 1];
    const isValue = before?.isQuoted === false && takesPlace(before.text, args, isLocal);
    return isValue ? localName(word) : word.text;
  });
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

/** Whether a flag has a value that may name something of this machine. */
function takesPlace(flag: string, args: ArgsDef, isLocal: (flag: string) => boolean): boolean {
  const definition = flag.startsWith("-") ? findFlag(flag, args) : undefined;
  const name = Object.keys(args).find((key) => args[key] === definition);
  return definition?.type === "string" && name !== undefined && isLocal(name);
}

/** True for a name that begins with a dash. */
function isName({ text, isQuoted }: ShellWord, all: readonly ShellWord[], args: ArgsDef): boolean {
  if (!text.startsWith("-") || text === "-") return false;
  if (isQuoted) return true;
  const takesNames = Object.values(args).some(({ type }) => type === "positional");
  const [flag = ""] = text.split("=");
  return takesNames && all.length === 1 && !/^-[A-Za-z0-9]{1,4}$/.test(text) && findFlag(flag, args) === undefined;
}

/** For a command that takes no words. @throws UsageError */
export function requireNoWords(words: readonly string[], name: string): void {
  if (words.length > 0)
    throw new UsageError(`${name} takes no words; to send a message that begins like this: send ${name} …`);
}
