/**
 * The manual page of a program in mdoc(7), made of its definition: commands, flags and exit codes are those of --help.
 */
import type { ArgsDef } from "citty";
import type { Command, Program } from "../lib/cli/command.ts";
import { EXIT_MEANINGS } from "../lib/cli/exit-codes.ts";
import { usagesOf } from "../lib/cli/help.ts";
import { BUILT_IN } from "../lib/cli/program-flags.ts";

type Arg = ArgsDef[string];

/** A flag with the same definition in so many commands has a section of its own. */
const MANY = 4;

/** Variables without a flag. */
const VARIABLES: Readonly<Record<string, string>> = {
  COMMSERVER_INVITE: "An invite, as --invite-file takes it from a file.",
  COMMSERVER_TOKEN: "The token to prove, as --token-file takes it from a file.",
  COMMSERVER_TRACE: "A file that gets a line for each frame that is sent or received.",
  NO_COLOR: "If it is set, output has no colours.",
  XDG_STATE_HOME: "Where the state folder is, in place of ~/.local/state.",
  XDG_CONFIG_HOME: "Where the file of settings is, in place of ~/.config.",
};

/** @param date of the page, as `2026-11-30` */
export function manPage(program: Program, { version, date }: { version: string; date: string }): string {
  const common = commonFlags(program);
  const settings = program.name.replace("commserver-", "");
  const other = settings === "client" ? "commserver-server" : "commserver-client";
  const lines = [
    `.Dd ${mdocDate(date)}`,
    `.Dt ${program.name.toUpperCase()} 1`,
    `.Os CommServer ${version}`,
    ".Sh NAME",
    `.Nm ${program.name}`,
    `.Nd ${escaped(headline(program.description))}`,
    ".Sh SYNOPSIS",
    ...synopsis(program),
    ".Sh DESCRIPTION",
    ...sentences(program.description),
    `Without a command, it runs`,
    `.Cm ${program.defaultCommand} .`,
    ".Sh COMMANDS",
    ...Object.entries(program.commands).flatMap(([name, command]) => commandSection(name, command, common)),
    ".Sh COMMON FLAGS",
    ".Bl -tag -width Ds",
    ...Object.entries({ ...Object.fromEntries(common), ...BUILT_IN }).flatMap(flagItem),
    ".El",
    ".Sh ENVIRONMENT",
    "Each flag can also be set in the environment:",
    ".Ev COMMSERVER_MAX_CLIENTS",
    "is",
    ".Fl \\-max-clients .",
    ".Bl -tag -width Ds",
    ...Object.entries(VARIABLES).flatMap(([name, text]) => [`.It Ev ${name}`, ...sentences(text)]),
    ".El",
    ".Sh FILES",
    ".Bl -tag -width Ds",
    `.It Pa ~/.config/commserver/${settings}.toml , Pa /etc/commserver/${settings}.toml`,
    "Settings, in TOML.",
    ".It Pa ~/.local/state/commserver",
    "The state folder: identities, tokens, the ledger and known servers.",
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => [`.It ${code}`, escaped(meaning)]),
    ".El",
    ".Sh EXAMPLES",
    ".Bd -literal -offset indent",
    ...program.examples.map(escaped),
    ".Ed",
    ".Sh SEE ALSO",
    `.Xr ${other} 1`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A line for each way to call the program. */
function synopsis(program: Program): string[] {
  return usagesOf(program.commands[program.defaultCommand]?.args ?? {}).flatMap((words) => [
    ".Nm",
    ...words.map((word) => (word.startsWith("[") ? `.Op Ar ${word.slice(1, -1)}` : `.Ar ${word}`)),
  ]);
}

/** The flags that many commands share, in their order. */
function commonFlags(program: Program): Map<string, Arg> {
  const all = Object.values(program.commands).flatMap(({ args }) => Object.entries(args));
  const uses = (arg: Arg) => all.filter(([, other]) => other === arg).length;
  const shared = all.filter(([, arg]) => arg.type !== "positional" && uses(arg) >= MANY);
  // Of two definitions of one flag the rarer one is told where it is.
  const isUsual = ([name, arg]: [string, Arg]) =>
    shared.every(([same, other]) => same !== name || uses(other) <= uses(arg));
  return new Map(shared.filter(isUsual));
}

function commandSection(name: string, command: Command, common: ReadonlyMap<string, Arg>): string[] {
  const args = Object.entries(command.args);
  const words = args.filter(([, { type }]) => type === "positional");
  const flags = args.filter(([, { type }]) => type !== "positional");
  const own = flags.filter(([flag, arg]) => common.get(flag) !== arg);
  const shared = flags.filter(([flag, arg]) => common.get(flag) === arg).map(([flag]) => `--${flag}`);
  return [
    `.Ss ${name}${words.map(([word, arg]) => ` ${wordOf(word, arg)}`).join("")}`,
    ...sentences(command.description),
    ...(words.length + own.length === 0
      ? []
      : [
          ".Bl -tag -width Ds",
          ...words.flatMap(([word, arg]) => [
            `.It Ar ${escaped(`${word.toUpperCase()}${arg.valueHint ?? ""}`)}`,
            ...sentences(arg.description ?? ""),
          ]),
          ...own.flatMap(flagItem),
          ".El",
        ]),
    ...(shared.length === 0 ? [] : [".Pp", "It also takes these common flags:", escaped(`${shared.join(", ")}.`)]),
  ];
}

function wordOf(name: string, arg: Arg): string {
  const word = escaped(name.toUpperCase() + (arg.valueHint ?? ""));
  return arg.required === false ? `[${word}]` : word;
}

function flagItem([name, arg]: [string, Arg]): string[] {
  const short = "alias" in arg && arg.alias !== undefined ? `Fl ${arg.alias} , ` : "";
  const value = arg.valueHint === undefined ? "" : ` Ar ${escaped(arg.valueHint).replaceAll("|", "\\*(Ba")}`;
  const fallback = arg.default === undefined ? [] : [`The default is ${escaped(String(arg.default))}.`];
  return [`.It ${short}Fl \\-${name}${value}`, ...sentences(arg.description ?? ""), ...fallback];
}

/** A description as lines of text; each sentence begins a line. */
function sentences(text: string): string[] {
  const whole = /[.!?…]$/.test(text) ? text : `${text}.`;
  return whole
    .split(/(?<=[a-z)]\.) /)
    .flatMap((sentence) => sentence.match(/\S.{0,70}(?=\s|$)/g) ?? [])
    .map(escaped);
}

/** What `.Nd` takes: no capital at its beginning, no full stop at its end. */
function headline(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}

/** A line of text that roff takes for nothing else. Its ASCII devices know no ellipsis, and leave it out. */
function escaped(text: string): string {
  const safe = text
    .replaceAll("…", "...")
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replace(/[^\0-\x7f]/gu, (character) => `\\[u${hex(character)}]`);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function hex(character: string): string {
  return (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
}

function mdocDate(date: string): string {
  const [year, month, day] = date.split("-").map(Number);
  const name = new Date(`${date}T00:00:00Z`).toLocaleString("en", { month: "long", timeZone: "UTC" });
  if (year === undefined || month === undefined || day === undefined) throw new Error(`${date} is no date`);
  return `${name} ${day}, ${year}`;
}
