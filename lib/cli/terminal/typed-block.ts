import { plural } from "../format.ts";
import { askYesNo } from "./ask-yes-no.ts";
import type { Input, LineInput } from "./line-input.ts";

type Line = Input & { readonly kind: "line" };

/**
 * The lines that typed text stands for. A person is asked what a pasted block is: lines to run one after the other, one
 * message, or a mistake. What was typed with Alt-Enter is one message.
 */
export async function linesOf(typed: Line, input: LineInput): Promise<readonly string[]> {
  const lines = blockOf(typed);
  if (lines === undefined) return [typed.text];
  const question = `${plural(lines.length, "line")}: run each (r), send as one message (m), or neither? [r/m/N] `;
  const answer = await input.ask(question);
  const choice = answer.kind === "line" ? answer.text.trim().toLowerCase() : "";
  if (/^r(?:un)?$/.test(choice)) return lines;
  return /^m(?:essage)?$/.test(choice) ? [typed.text] : [];
}

/** As linesOf(), where every line is a command. @throws as askYesNo() */
export async function commandsOf(typed: Line, input: LineInput): Promise<readonly string[]> {
  const lines = blockOf(typed);
  if (lines === undefined) return [typed.text];
  return (await askYesNo(input, `Run each of the ${lines.length} lines?`)) ? lines : [];
}

/** The lines of a pasted block; undefined for any other text. */
function blockOf({ text, isPasted }: Line): readonly string[] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return isPasted === true && lines.length > 1 ? lines : undefined;
}
