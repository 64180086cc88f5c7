import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { ArgsDef } from "citty";
import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { escapeText } from "../escape.ts";
import { placeFrom } from "./local-place.ts";
import { flagsOf, namesOn, type ShellCall, type ShellCommand } from "./shell-call.ts";
import { localName } from "./shell-folder.ts";
import { listingOf, localEntries, showEntries } from "./shell-listing.ts";

export const LS_ARGS = {
  path: { type: "positional", valueHint: "…", required: false, description: "Folders, files or patterns" },
  long: { type: "boolean", alias: "l", description: "With sizes and times" },
  one: { type: "boolean", alias: "1", description: "One name on each line" },
  time: { type: "boolean", alias: "t", description: "Newest first" },
  size: { type: "boolean", alias: "S", description: "Largest first" },
  reverse: { type: "boolean", alias: "r", description: "The other way round" },
  all: { type: "boolean", alias: "a", description: "As always: names that begin with a dot are shown, too" },
  human: { type: "boolean", alias: "h", description: "As always: sizes in KB and MB" },
} as const satisfies ArgsDef;

/** A name with blanks comes as several words. */
export const FOLDER_ARGS = {
  folder: { type: "positional", valueHint: "…", required: false, description: "The folder" },
} as const satisfies ArgsDef;

const showFolder: Pick<ShellCommand, "usage" | "description"> = {
  usage: "lcd [PATH], lpwd",
  description: "Change the folder of this machine, or show it",
};

/** The commands that look around on this machine. */
export const LOCAL_COMMANDS: Readonly<Record<string, ShellCommand>> = {
  lls: {
    usage: "lls [-l] [PATH…]",
    description: "What is in the folder of this machine",
    isLocal: true,
    follows: "words",
    args: LS_ARGS,
    names: "here",
    async run(call) {
      const flags = flagsOf(call, { args: LS_ARGS });
      const names = await localNames(call, flags._);
      for (const name of names.length === 0 ? ["."] : names) {
        const heading = names.length > 1 ? name : "";
        await showEntries(localEntries(name), call.io, { ...listingOf(flags), heading });
      }
      return 0;
    },
  },
  lcd: {
    ...showFolder,
    isLocal: true,
    follows: "words",
    args: FOLDER_ARGS,
    names: "here",
    async run(call) {
      const [folder = homedir()] = await localNames(call, flagsOf(call, { args: FOLDER_ARGS })._);
      try {
        process.chdir(folder);
      } catch (cause) {
        throw new CommError("NO_SUCH_FILE", `There is no folder ${quote(resolve(folder))} here.`, { cause });
      }
      await showPlace(call);
      return 0;
    },
  },
  lpwd: {
    ...showFolder,
    isLocal: true,
    follows: "nothing",
    async run(call) {
      await showPlace(call);
      return 0;
    },
  },
};

/** Names of this machine among the words of a line. */
export async function localNames(call: ShellCall, typed: readonly string[]): Promise<string[]> {
  const names = await namesOn(call, typed, (name) => existsSync(placeFrom(call.here, name)));
  return names.map((text) => localName(call.words.find((word) => word.text === text) ?? { text, isQuoted: true }));
}

async function showPlace({ io }: Pick<ShellCall, "io">): Promise<void> {
  await io.out(`${escapeText(process.cwd())}\n`);
}
