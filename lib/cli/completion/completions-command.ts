import type { Command, Program } from "../command.ts";
import { configure, findConfigFile } from "../configuration/configure.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { type LazyProgram, loadProgram } from "../lazy-program.ts";
import { UsageError } from "../usage-error.ts";
import type { FindNames, NameKind } from "./complete-words.ts";
import { SHELLS, type Shell } from "./shell-scripts.ts";

/** As FindNames, with the flags of the line and the configured ones. */
export type NamesOf = (kind: NameKind, typed: string, flags: Flags) => Promise<readonly string[]>;

/**
 * `completions SHELL` prints a script for the shell. The script calls `completions SHELL -- WORD…` for each word that is
 * completed: it answers the kind of what may follow, and then a candidate a line. It never asks, and is silent about
 * errors, since a person is typing.
 *
 * @param programOf gives the program, which has this command as well
 */
export function completionsCommand(programOf: () => LazyProgram, namesOf: NamesOf): Command {
  return {
    description: `Print a script that completes words with Tab, for ${SHELLS.join(", ")}`,
    args: {
      shell: { type: "positional", description: SHELLS.join(", ") },
      word: {
        type: "positional",
        required: false,
        valueHint: "…",
        description: "For the script: what is typed so far",
      },
    },
    completes: { shell: SHELLS },
    async run({ _: [given, ...words] }, io) {
      const shell = SHELLS.find((known) => known === given);
      if (shell === undefined) throw new UsageError(`completions takes ${SHELLS.join(", ")}, not "${given}".`);
      if (words.length > 0) {
        const program = await loadProgram(programOf());
        await answer(shell, words, program, { io, find: configured(program, programOf(), namesOf) });
      } else {
        const { shellScript } = await import("./shell-scripts.ts");
        await io.out(shellScript(shell, programOf().name));
      }
      return 0;
    },
  };
}

/** The lookup that takes the flags of a line as its command would. */
function configured(program: Program, lazy: LazyProgram, namesOf: NamesOf): FindNames {
  return async (kind, typed, { command, flags }) => {
    const given: Flags = { ...Object.fromEntries(flags), _: [] };
    const { env } = process;
    const file = await findConfigFile(lazy, given, env);
    return namesOf(kind, typed, configure(given, { program, command, file, env }));
  };
}

async function answer(
  shell: Shell,
  words: readonly string[],
  program: Program,
  { io, find }: { io: ConsoleIo; find: FindNames },
): Promise<void> {
  const lines = await (shell === "bash" ? answerLine(words, program, find) : answerWords(words, program, find)).catch(
    () => [],
  );
  // What can't be shown can't be chosen either, and a line feed would make two candidates of one.
  const safe = lines.filter((line) => line.split("\t").every((part) => escapeText(part) === part));
  await io.out(safe.map((line) => `${line}\n`).join(""));
}

async function answerWords(words: readonly string[], program: Program, find: FindNames): Promise<string[]> {
  const { completeWords } = await import("./complete-words.ts");
  const { kind, candidates } = await completeWords(program, words, find);
  return [kind, ...candidates.map(({ word, description }) => word + (description ? `\t${description}` : ""))];
}

/** As answerWords(), for a line of bash and its COMP_WORDBREAKS. */
async function answerLine(
  [text = "", breaks = ""]: readonly string[],
  program: Program,
  find: FindNames,
): Promise<string[]> {
  const { completeWords } = await import("./complete-words.ts");
  const { readBashLine, answerBash } = await import("./bash-line.ts");
  const line = readBashLine(text, breaks);
  // Behind a redirection there are files.
  if (line === undefined) return ["files"];
  const { kind, candidates } = await completeWords(program, line.words, find);
  const { words, isIncomplete } = answerBash(candidates, line);
  return [isIncomplete ? "incomplete" : kind, ...words];
}
