import type { Client } from "../../client/client.ts";
import { escapeGlob } from "../../glob.ts";
import type { Entry } from "../../protocol/methods.ts";
import { longestCommonPrefix } from "../completion/common-prefix.ts";
import { escapeText } from "../escape.ts";

/** The most entries that are read to find the beginning that all names share. */
const MAX_HEARD = 100_000;

/** Names that complete a typed one. */
export interface FoundNames {
  /** The first ones; folders with a slash. */
  readonly names: readonly string[];
  /** What all begin with, also those that are not in `names`. */
  readonly common: string;
  /** How many there are; undefined when there was no time to read all. */
  readonly total: number | undefined;
}

export interface FindOptions {
  readonly signal: AbortSignal;
  /** The most names to return. */
  readonly max: number;
  takes?(entry: Entry): boolean;
}

/**
 * The paths of a repository that begin with `start`, even if it looks like a pattern. Names that a terminal would not
 * show as they are count as absent. When `signal` aborts: those that were found by then.
 *
 * @throws as Client.list()
 */
export async function pathsFrom(
  client: Pick<Client, "list">,
  start: string,
  { signal, max, takes = () => true }: FindOptions,
): Promise<FoundNames> {
  const names: string[] = [];
  let common: string | undefined;
  let [heard, total] = [0, 0];
  let isCut = false;
  try {
    for await (const entry of client.list(`${escapeGlob(start)}*`, signal)) {
      // A completion must only extend what the user typed, so that nothing unseen enters the line.
      if (!entry.path.startsWith(start)) break;
      if (++heard > MAX_HEARD) {
        isCut = true;
        break;
      }
      if (escapeText(entry.path) !== entry.path || !takes(entry)) continue;
      const name = `${entry.path}${entry.kind === "folder" ? "/" : ""}`;
      common = common === undefined ? name : longestCommonPrefix([common, name]);
      if (++total <= max) names.push(name);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    isCut = true;
  }
  return { names, common: isCut ? start : (common ?? start), total: isCut ? undefined : total };
}

/** To whom a message may go: `all`, the sessions that are here but this one, their tokens, and their nicks. */
export async function namesHere(client: Pick<Client, "status" | "name">): Promise<string[]> {
  const { here = [] } = await client.status({ here: true, limit: 1 });
  const names = here
    .filter(({ name }) => name !== client.name)
    .flatMap(({ name, token, nick }) => [
      name,
      ...(token === undefined ? [] : [token]),
      ...(nick === undefined ? [] : [`~${nick}`]),
    ]);
  return [...new Set(["all", ...names])].filter((name) => escapeText(name) === name).sort();
}
