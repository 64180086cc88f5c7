import type { ArgsDef } from "citty";
import type { Command, Program } from "./command.ts";
import { type ConsoleIo, paint } from "./console-io.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import { formatRows, type Row } from "./format.ts";
import { fitColumns } from "./line-breaks.ts";
import { BUILT_IN } from "./program-flags.ts";
import { VERSION } from "./version.ts";

type Arg = ArgsDef[string];
/** How a page of help is shown. */
type HelpIo = Pick<ConsoleIo, "color" | "outColumns">;

/** The help of a command, or without a name that of the program. */
export function helpFor(program: Program, name: string | undefined, io: HelpIo): string {
  const command = program.commands[name ?? program.defaultCommand] as Command;
  const args = { ...command.args, ...BUILT_IN };
  return name === undefined ? programHelp(program, args, io) : commandHelp(program, name, command, args, io);
}

/** The help of a program, with the flags of its default command. */
function programHelp(program: Program, args: ArgsDef, io: HelpIo): string {
  const commands = Object.entries(program.commands).map(([name, { description }]): Row => [name, description]);
  const exits = EXIT_MEANINGS.map(([exit, meaning]): Row => [String(exit).padStart(3), meaning]);
  return page(io, `${program.name} ${VERSION}`, [
    [program.description],
    [
      "USAGE",
      usagesOf(args)
        .map((words) => `  ${[program.name, ...words].join(" ")}`)
        .join("\n"),
    ],
    ["COMMANDS", formatRows(commands, io.outColumns)],
    [
      `FLAGS OF ${program.defaultCommand.toUpperCase()}, WHICH RUNS WITHOUT A COMMAND`,
      formatRows(flagRows(args), io.outColumns),
    ],
    ["EXAMPLES", program.examples.map((line) => `  ${line}`).join("\n")],
    ["EXIT CODES", formatRows(exits, io.outColumns)],
    [`Flags and arguments of a command: ${program.name} COMMAND --help`],
  ]);
}

/** How a program is called: the words after its name. `args` are those of its default command. */
export function usagesOf(args: ArgsDef): string[][] {
  const words = positionals(args).map(([word]) => `[${word}]`);
  return words.length === 0
    ? [["[COMMAND]", "[FLAGS]"]]
    : [
        [...words, "[FLAGS]"],
        ["COMMAND", "[FLAGS]"],
      ];
}

/** The help of one command. */
function commandHelp(program: Program, name: string, command: Command, args: ArgsDef, io: HelpIo): string {
  const words = positionals(args).map(([word, arg]) => (arg.required === false ? `[${word}]` : word));
  const sections: string[][] = [
    [command.description],
    ["USAGE", `  ${[program.name, name, ...words, "[FLAGS]"].join(" ")}`],
  ];
  const wordRows = positionals(args).map(([word, arg]): Row => [word, arg.description ?? ""]);
  if (wordRows.length > 0) sections.push(["ARGUMENTS", formatRows(wordRows, io.outColumns)]);
  sections.push(["FLAGS", formatRows(flagRows(args), io.outColumns)]);
  return page(io, `${program.name} ${VERSION}`, sections);
}

/** The help of a command of the shell. */
export function helpOf(
  { usage, description, args }: { usage: string; description: string; args: ArgsDef },
  io: HelpIo,
): string {
  const flags = flagRows(args);
  const lines = [`${usage}`, description, ...(flags.length > 0 ? [formatRows(flags, io.outColumns)] : [])];
  return `${lines.join("\n")}\n`;
}

function page(io: HelpIo, title: string, sections: readonly (readonly string[])[]): string {
  const columns = io.outColumns ?? Number.POSITIVE_INFINITY;
  const text = sections.map(([head = "", body]) =>
    body === undefined ? fitColumns(head, columns) : `${paint(io, "bold", fitColumns(head, columns))}\n${body}`,
  );
  return `${paint(io, "bold", title)}\n${text.join("\n\n")}\n`;
}

/** `PATH…` and its definition. */
function positionals(args: ArgsDef): [string, Arg][] {
  return Object.entries(args)
    .filter(([, arg]) => arg.type === "positional")
    .map(([name, arg]) => [name.toUpperCase() + (arg.valueHint ?? ""), arg]);
}

function flagRows(args: ArgsDef): Row[] {
  return Object.entries(args)
    .filter(([, arg]) => arg.type !== "positional")
    .map(([name, arg]): Row => {
      const short = "alias" in arg && arg.alias !== undefined ? `-${[arg.alias].flat()[0]}, ` : "    ";
      const value = arg.valueHint === undefined ? "" : ` ${arg.valueHint}`;
      const fallback = arg.default === undefined ? "" : ` (default: ${arg.default})`;
      return [`${short}--${name}${value}`, `${arg.description ?? ""}${fallback}`];
    });
}
