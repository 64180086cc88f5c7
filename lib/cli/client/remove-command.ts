import { findNamed } from "../../client/asked.ts";
import type { Client } from "../../client/client.ts";
import { planRemoval } from "../../client/removal.ts";
import { CommError, endsSession, toCommError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import type { Entry } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { storageFault } from "../../storage-faults.ts";
import type { Command } from "../command.ts";
import type { ConsoleIo } from "../console-io.ts";
import { escapeText, toJson } from "../escape.ts";
import type { Flags } from "../flags.ts";
import { plural } from "../format.ts";
import { reportError } from "../report.ts";
import { UsageError } from "../usage-error.ts";
import { askPerson, canAsk } from "./ask-person.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { forEachPath } from "./each-path.ts";
import { NAMES_FILE_FLAGS, NAMES_FILE_TYPED, readNames } from "./names-file.ts";
import { requireOneInput } from "./standard-input.ts";
import { typedPath, typedSource } from "./typed-paths.ts";
import { withClient } from "./with-connection.ts";

/** How many are removed at once. */
const TOGETHER = 32;

export const remove: Command = {
  description: "Remove files or folders from the repository",
  args: {
    path: {
      type: "positional",
      valueHint: "…",
      required: false,
      description: "Files, folders or patterns of the repository",
    },
    recursive: { type: "boolean", alias: "r", description: "Remove folders and everything in them" },
    yes: { type: "boolean", alias: ["y", "f"], description: "Remove what a pattern matches without asking (also -f)" },
    "dry-run": { type: "boolean", alias: "n", description: "Only show what would be removed" },
    ...NAMES_FILE_FLAGS,
    ...CONNECTION_FLAGS,
  },
  typedOnly: ["recursive", "yes", "dry-run", ...NAMES_FILE_TYPED],
  completes: { path: "remote" },
  async run(flags, io) {
    requireOneInput(flags);
    const isListed = flags["files-from"] !== undefined;
    const sources = (await readNames(flags)).map(isListed ? typedPath : removable);
    const settings = await readConnectSettings(flags);
    const json = settings.isJson;
    return withClient(settings, io, (client, signal) =>
      removeAll(client, sources, {
        ...{ ...removeFlags(flags), isListed, io, json, signal },
        ...(canAsk(io) && !json && { ask: (question: string) => askPerson(io, question, signal) }),
      }),
    );
  },
};

export function removeFlags(flags: Flags): Pick<RemoveTerms, "isRecursive" | "isDry" | "isSure"> {
  return {
    isRecursive: flags["recursive"] === true,
    isDry: flags["dry-run"] === true,
    isSure: flags["yes"] === true,
  };
}

/** A name or a pattern; never everything. @throws StorageError BAD_PATH */
export function removable(typed: string): string {
  return isGlob(typed) ? typedSource(typed) : typedPath(typed);
}

export interface RemoveTerms {
  readonly isRecursive: boolean;
  /** Nothing is removed, only shown. */
  readonly isDry: boolean;
  /** The sources are names, even if they look like patterns. */
  readonly isListed?: boolean;
  /** What a pattern matches is removed without a question. */
  readonly isSure: boolean;
  readonly io: ConsoleIo;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Ask a yes/no question; absent where nobody can answer. */
  ask?(question: string): Promise<boolean>;
}

/** @returns the exit code of the first failure @throws as forEachPath() */
export function removeAll(client: Client, sources: readonly string[], terms: RemoveTerms): Promise<number> {
  const { isRecursive, isDry, isListed = false } = terms;
  return forEachPath(sources, { ...terms, command: "remove" }, async (source) => {
    const named =
      isDry || (isGlob(source) && !isListed)
        ? await findNamed(client, source)
        : { path: source, kind: "file" as const };
    if (named === undefined && !isListed) return removeMatches(client, source, terms);
    if (named === undefined) throw new CommError("NOT_FOUND", `There is no ${quote(source)} in the repository.`);
    if (!isDry) await client.remove(source, isRecursive);
    else if (named.kind === "folder" && !isRecursive) await requireEmpty(client, source, terms.signal);
    await tellRemoved({ path: source, kind: named.kind }, terms);
    return 0;
  });
}

/** @throws CommError NOT_EMPTY; as Client.list() */
async function requireEmpty(client: Client, path: string, signal: AbortSignal): Promise<void> {
  for await (const _ of client.list({ path }, signal)) throw storageFault.notEmpty(path);
}

async function tellRemoved({ path, kind }: Pick<Entry, "path" | "kind">, terms: RemoveTerms): Promise<void> {
  const { isDry, io, json } = terms;
  const name = escapeText(path);
  const words = isDry ? `Would remove ${name}${kind === "folder" ? "/" : ""}` : `Removed ${name}`;
  await io.out(json ? `${toJson({ event: isDry ? "would-remove" : "removed", path })}\n` : `${words}\n`);
}

/**
 * Remove what a pattern matches, after a question.
 *
 * @returns the exit code of the first failure
 * @throws UsageError when nobody can be asked; as planRemoval(); an error that ends the session
 */
async function removeMatches(client: Client, pattern: string, terms: RemoveTerms): Promise<number> {
  const found = await planRemoval(client, pattern, terms);
  const { isRecursive, isDry, isSure, ask, io, json } = terms;
  if (!isDry && !isSure) {
    if (ask === undefined)
      throw new UsageError("A pattern is removed only with --yes; --dry-run shows what it matches.");
    if (!(await ask(questionOf(found, pattern)))) return 0;
  }
  let exit = 0;
  for (let from = 0; from < found.length; from += TOGETHER) {
    const some = found.slice(from, from + TOGETHER);
    const removals = some.map(({ path }) => (isDry ? undefined : client.remove(path, isRecursive).catch(toCommError)));
    for (const [index, entry] of some.entries()) {
      const failure = await removals[index];
      if (failure === undefined) await tellRemoved(entry, terms);
      else if (endsSession(failure)) throw failure;
      else {
        // Every failure is reported; the exit code is that of the first.
        const code = reportError(failure, io, { program: "commserver-client", command: "remove", json });
        exit ||= code;
      }
    }
  }
  return exit;
}

/** Safe to show. */
function questionOf(found: readonly Entry[], pattern: string): string {
  const folders = found.filter(({ kind }) => kind === "folder").length;
  const files = found.length - folders;
  const parts = [
    ...(files > 0 ? [plural(files, "file")] : []),
    ...(folders > 0 ? [`${plural(folders, "folder")} with everything in ${folders === 1 ? "it" : "them"}`] : []),
  ];
  return `Remove ${parts.join(" and ")} that ${escapeText(quote(pattern))} matches?`;
}
