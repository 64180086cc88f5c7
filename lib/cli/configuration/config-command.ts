import type { ArgsDef } from "citty";
import type { Command, Program } from "../command.ts";
import { escapeText, toJson } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { namedCommand } from "../help-commands.ts";
import { type LazyProgram, loadProgram } from "../lazy-program.ts";
import { nearest } from "../nearest.ts";
import { configPlaces } from "./config-places.ts";
import { configurable, variableOf } from "./configurable.ts";
import { configure, findConfigFile, withOrigin } from "./configure.ts";
import { noteOrigins, type Origin, originOf, placeOf } from "./origins.ts";

/** Variables without a flag; the values of secrets are not shown. */
const SECRET_VARIABLES = ["COMMSERVER_TOKEN", "COMMSERVER_INVITE"];
const OTHER_VARIABLES = ["COMMSERVER_TRACE", "COMMSERVER_CONFIG"];

/** `config [COMMAND]`: what holds, and where each value comes from, as a file of settings. */
export function configCommand(programOf: () => LazyProgram): Command {
  return {
    description: "Show the settings that hold, and where each comes from",
    args: {
      command: { type: "positional", required: false, description: "The command whose settings to show" },
      json: { type: "boolean", description: "Print JSON for programs" },
    },
    typedOnly: ["json"],
    get completes() {
      return { command: Object.keys(programOf().commands) };
    },
    async run(flags, io) {
      const program = await loadProgram(programOf());
      const command = namedCommand(flags, program) ?? program.defaultCommand;
      const file = await findConfigFile(programOf(), flags);
      const { env } = process;
      const args = configurable(program, command);
      const shown = configure(defaultsOf(args), { program, command, file, env });
      const rows = [...args].map(
        ([name, arg]): SettingRow => ({ name, arg, value: shown[name], origin: originOf(shown, name) }),
      );
      const others = [...SECRET_VARIABLES, ...OTHER_VARIABLES].filter((name) => env[name]);
      const variables = others.map((name) => ({ name, value: SECRET_VARIABLES.includes(name) ? "***" : env[name] }));
      if (flags["json"] === true) {
        const settings = Object.fromEntries(
          rows.map(({ name, value, origin }) => [name, { value: value ?? null, ...fromOf(origin) }]),
        );
        await io.out(
          `${toJson({ file: file?.path ?? null, settings, variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])) })}\n`,
        );
      } else {
        const lines = [headOf(`${program.name} ${command}`, file?.path, program), "", ...rows.map(lineOf)];
        if (variables.length > 0)
          lines.push("", ...variables.map(({ name, value }) => `# ${name}: ${escapeText(value ?? "")}`));
        await io.out(`${lines.join("\n")}\n`);
      }
      for (const hint of unknownVariables(program, Object.keys(env))) io.note(hint);
      try {
        program.commands[command]?.check?.(shown);
      } catch (thrown) {
        throw withOrigin(thrown, shown);
      }
      return 0;
    },
  };
}

interface SettingRow {
  readonly name: string;
  readonly arg: ArgsDef[string];
  readonly value: unknown;
  readonly origin: Origin;
}

function defaultsOf(args: ReadonlyMap<string, ArgsDef[string]>): Flags {
  const values = [...args].flatMap(([name, arg]) => (arg.default === undefined ? [] : [[name, arg.default]]));
  return noteOrigins({ ...Object.fromEntries(values), _: [] }, new Map());
}

function fromOf(origin: Origin): object {
  const { kind, ...place } = origin;
  return { from: kind, ...place };
}

function headOf(called: string, file: string | undefined, program: Program): string {
  if (file !== undefined) return `# ${called}, with the settings of ${escapeText(file)}`;
  return `# ${called}, without a file of settings. It would read the first of:\n${configPlaces(program.name)
    .map((place) => `#   ${escapeText(place)}`)
    .join("\n")}`;
}

const WIDTH = 36;

/** A line of TOML; a setting without a value is a comment. */
function lineOf({ name, arg, value, origin }: SettingRow): string {
  const hint = arg.type === "boolean" ? "true" : (arg.valueHint ?? "…");
  const text = value === undefined ? `# ${name} = ${hint}` : `${name} = ${inToml(String(value), arg)}`;
  const place = placeOf(origin);
  const from = place ?? (value === undefined ? "not set" : "default");
  return `${text.padEnd(WIDTH)}  # ${escapeText(from)}`;
}

function inToml(value: string, arg: ArgsDef[string]): string {
  if (arg.type === "boolean" || /^(?:0|[1-9]\d{0,14})$/.test(value)) return value;
  // A basic string of TOML has the escapes of JSON.
  return toJson(value);
}

/** Variables that look like mistyped ones; those of the other program are none of our business. */
function unknownVariables(program: Program, names: readonly string[]): string[] {
  const flags = Object.values(program.commands).flatMap(({ args }) => Object.keys(args));
  const known = [...new Set([...flags, "config"].map(variableOf)), ...SECRET_VARIABLES, ...OTHER_VARIABLES];
  const strangers = names.filter((name) => name.startsWith("COMMSERVER_") && !known.includes(name));
  return strangers.flatMap((name) => {
    const near = nearest(name, known);
    return near === undefined ? [] : `${name} is not a setting. Did you mean ${near}?`;
  });
}
