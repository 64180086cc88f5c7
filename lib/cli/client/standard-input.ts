import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";

/** Flags whose value can be standard input. */
const INPUT_FLAGS = ["token-file", "invite-file", "exclude-from", "check", "files-from"];

/**
 * Standard input can be read only once. `argument` is what it is when an argument names it.
 *
 * @throws UsageError when it is named twice
 */
export function requireOneInput(flags: Flags, argument?: string): void {
  const named = INPUT_FLAGS.filter((name) => [flags[name]].flat().includes("-")).map((name) => `--${name}`);
  const [first, second] = argument === undefined ? named : [argument, ...named];
  if (second !== undefined) throw new UsageError(`Standard input can't be both ${first} and ${second}.`);
}
