import { longestCommonPrefix } from "../completion/common-prefix.ts";
import { inColumns } from "./name-columns.ts";

/** What may stand in the place of the end of a line. */
export interface Completion {
  /** Names in the place of `typed`, which ends the line. */
  readonly names: readonly string[];
  readonly typed: string;
  /** What all names begin with, when `names` has only some of them. */
  readonly common?: string;
  /** How many names there are, when `names` has only some; undefined: nobody knows. */
  readonly total?: number | undefined;
}

/** More rows than these are asked about. */
const MAX_ROWS = 10;

/** The end of the line as far as all names agree; undefined when that is what was typed, or there are none. */
export function commonEnding({ names, typed, common }: Completion): string | undefined {
  const shared = common ?? longestCommonPrefix(names);
  const extends_ = shared.length > typed.length || (shared.length === typed.length && shared !== typed);
  return names.length > 0 && extends_ && shared.toLowerCase().startsWith(typed.toLowerCase()) ? shared : undefined;
}

/** The names in columns, without the folders that were typed already. */
export function namesShown({ names, typed }: Completion, columns: number): string {
  const start = typed.lastIndexOf("/") + 1;
  return inColumns(
    names.map((name) => ({ text: name.slice(start).trimEnd() })),
    columns,
  );
}

/** The question before a long list; undefined when it is short. */
export function listQuestion(completion: Completion, rows: number, windowRows: number): string | undefined {
  const { names, common, total } = completion;
  if (common !== undefined) {
    return `Show the first ${names.length} of ${total ?? "very many"} names? [y/N] `;
  }
  return rows > Math.max(1, Math.min(MAX_ROWS, windowRows - 3)) ? `Show all ${names.length} names? [y/N] ` : undefined;
}

/** The question between two pages of a list, of which so many lines are left. */
export function moreQuestion(lines: number): string {
  return `Show more? ${lines === 1 ? "1 line is" : `${lines} lines are`} left. [y/N] `;
}
