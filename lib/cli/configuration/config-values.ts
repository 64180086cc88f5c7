import type { ArgsDef } from "citty";
import { isRepeatable } from "../flags.ts";

/** A value in a file, as a flag has it, and its line. */
export interface Setting {
  readonly value: string | boolean;
  readonly line: number | undefined;
}

/**
 * A value of TOML as the flag's; undefined when it takes no such value. A list is for a flag that takes several values
 * with commas, or that may be given several times: then each has its own line.
 */
export function valueIn(value: unknown, arg: ArgsDef[string]): string | boolean | undefined {
  if (arg.type === "boolean") return typeof value === "boolean" ? value : undefined;
  if (Array.isArray(value)) {
    const separator = arg.valueHint?.includes(",") ? "," : isRepeatable(arg) ? "\n" : undefined;
    const isList = separator !== undefined && value.every((each) => typeof each === "string");
    return isList ? value.join(separator) : undefined;
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

const YES = ["1", "true", "yes", "on"];
const NO = ["0", "false", "no", "off"];

/** The words for a boolean in the environment, in any letter case; undefined for any other text. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (YES.includes(word)) return true;
  return NO.includes(word) ? false : undefined;
}
