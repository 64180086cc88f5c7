import type { Command, Program } from "./command.ts";
import { toJson } from "./escape.ts";
import type { Flags } from "./flags.ts";
import { helpFor } from "./help.ts";
import { type LazyProgram, loadProgram } from "./lazy-program.ts";
import { unknownCommand } from "./meant.ts";
import { VERSION, versionLine } from "./version.ts";

/** `help [COMMAND]`, as `--help`. */
export function helpCommand(programOf: () => LazyProgram): Command {
  return {
    description: "Show this help, or that of a command",
    args: { command: { type: "positional", required: false, description: "The command to explain" } },
    withoutSettings: true,
    get completes() {
      return { command: Object.keys(programOf().commands) };
    },
    async run(flags, io) {
      const program = await loadProgram(programOf());
      await io.out(helpFor(program, namedCommand(flags, program), io));
      return 0;
    },
  };
}

/** `version`, as `--version`. */
export function versionCommand(programOf: () => LazyProgram): Command {
  return {
    description: "Show the version",
    args: { json: { type: "boolean", description: "Print JSON for programs" } },
    withoutSettings: true,
    async run(flags, io) {
      const { name } = programOf();
      await io.out(flags["json"] === true ? `${toJson({ name, version: VERSION })}\n` : versionLine(name));
      return 0;
    },
  };
}

/** The command that the first word names; undefined without a word. @throws UsageError */
export function namedCommand(flags: Flags, program: Program): string | undefined {
  const [word] = flags._;
  if (word === undefined || Object.hasOwn(program.commands, word)) return word;
  throw unknownCommand(word, program);
}
