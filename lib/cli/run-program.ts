import { statSync } from "node:fs";
import { isInvite } from "../protocol/invite.ts";
import type { Command, Program } from "./command.ts";
import { configure, findConfigFile, withOrigin } from "./configuration/configure.ts";
import { type ConsoleIo, processIo } from "./console-io.ts";
import { inFlagWords } from "./flag-words.ts";
import { type Flags, findFlag, parseFlags } from "./flags.ts";
import { helpFor } from "./help.ts";
import { type LazyProgram, loadProgram } from "./lazy-program.ts";
import { unknownCommand } from "./meant.ts";
import { BUILT_IN, programFlags } from "./program-flags.ts";
import { reportError } from "./report.ts";
import { UsageError } from "./usage-error.ts";
import { versionLine } from "./version.ts";

const VERSION_FLAGS: readonly string[] = ["--version", "-V"];

/** Run a program on its arguments, and write all its output. Never throws. @returns the exit code for the process */
export async function runProgram(program: LazyProgram, argv: readonly string[]): Promise<number> {
  const io = processIo();
  const exit = await runCommand(program, argv, io);
  await io.flush();
  return exit;
}

async function runCommand(lazy: LazyProgram, argv: readonly string[], io: ConsoleIo): Promise<number> {
  let called: string | undefined;
  let flags: Flags | undefined;
  try {
    // Nothing needs to be loaded for it.
    if (argv.length === 1 && VERSION_FLAGS.includes(argv[0] as string)) {
      await io.out(versionLine(lazy.name));
      return 0;
    }
    const program = await loadCalled(lazy, argv);
    const { name, rest } = splitCommand(program, argv);
    called = name;
    const command = program.commands[name ?? program.defaultCommand] as Command;
    const args = { ...command.args, ...BUILT_IN };
    const end = rest.indexOf("--");
    const beforeEnd = end === -1 ? rest : rest.slice(0, end);
    if (beforeEnd.some((word) => VERSION_FLAGS.includes(word))) {
      await io.out(versionLine(lazy.name));
      return 0;
    }
    if (beforeEnd.includes("--help") || beforeEnd.includes("-h")) {
      await io.out(helpFor(program, name, io));
      return 0;
    }
    const typed = parseFlags(rest, args);
    if (command.withoutSettings === true) return await command.run(typed, io);
    const env = process.env;
    const read = async () => {
      const file = await findConfigFile(lazy, typed, env);
      return configure(typed, { program, command: name ?? program.defaultCommand, file, env });
    };
    flags = await read();
    return await command.run(flags, io, read);
  } catch (thrown) {
    const error = withOrigin(inFlagWords(thrown), flags);
    const json = argv.includes("--json") || flags?.["json"] === true;
    const code = reportError(error, io, { program: lazy.name, command: called, json });
    const page = [lazy.name, called === "help" ? undefined : called, "--help"].filter(Boolean).join(" ");
    if (error instanceof UsageError && !json) io.note(`  See: ${page}`);
    return code;
  }
}

/** Only the command that the first word names, if it names one: any other line can mean any of them. */
function loadCalled(program: LazyProgram, [first = ""]: readonly string[]): Promise<Program> {
  return loadProgram(program, Object.hasOwn(program.commands, first) ? [first] : undefined);
}

/** Whether the default command takes a folder as its word. */
function takesFolder({ commands, defaultCommand }: Program): boolean {
  return Object.values(commands[defaultCommand]?.args ?? {}).some(({ type }) => type === "positional");
}

/** A word is taken for a folder when it is written as a path, or when there is such a folder. */
function isFolder(word: string): boolean {
  return /[/\\]|^\.\.?$/.test(word) || statSync(word, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The first word that is neither flag nor a flag's value names the command; flags may stand before it. */
function splitCommand(program: Program, argv: readonly string[]): { name: string | undefined; rest: string[] } {
  const allFlags = programFlags(program);
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] as string;
    if (word === "--") break;
    if (word.startsWith("-") && word !== "-") {
      const takesValue = findFlag(word, allFlags)?.type === "string";
      if (takesValue) index++;
      continue;
    }
    if (Object.hasOwn(program.commands, word)) return { name: word, rest: argv.toSpliced(index, 1) };
    if (isInvite(word)) throw new UsageError("That is an invite: run commserver-client join INVITE.");
    if (takesFolder(program) && isFolder(word)) break;
    throw unknownCommand(word, program, takesFolder(program) ? "command or folder" : "command");
  }
  return { name: undefined, rest: [...argv] };
}
