import type { ArgsDef } from "citty";
import type { Program } from "./command.ts";

/** Flags of every command. */
export const BUILT_IN: ArgsDef = {
  help: { type: "boolean", alias: "h", description: "Show this help" },
  config: { type: "string", valueHint: "FILE", description: "Take settings from FILE (TOML)" },
  version: { type: "boolean", alias: "V", description: "Show the version" },
};

/** The flags of all commands of a program: they may stand before the command's name. */
export function programFlags(program: Program): ArgsDef {
  const flags = Object.values(program.commands).flatMap(({ args }) => Object.entries(args));
  return { ...BUILT_IN, ...Object.fromEntries(flags.filter(([, { type }]) => type !== "positional")) };
}
