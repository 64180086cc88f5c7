import { findNamed } from "../../client/asked.ts";
import type { Client } from "../../client/client.ts";
import { MAX_LISTED } from "../../client/path-set.ts";
import type { TransferItem } from "../../client/transfer.ts";
import { CommError, ProtocolError, StorageError } from "../../errors.ts";
import { FoldersAbove } from "../../folders-above.ts";
import { isGlob } from "../../glob.ts";
import { baseName, checkPath, joinPath, parentOf, pathFault } from "../../path.ts";
import type { Entry, ListTrailer } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import { selectGlob } from "../../selection.ts";
import { UsageError } from "../usage-error.ts";
import { type LeftOutThing, oddKind, toldByServer } from "./left-out.ts";

/** A path of the repository as people type it, with `./` in front or without. @throws StorageError BAD_PATH */
export function typedPath(typed: string): string {
  return checkPath(typed.replace(/^(\.\/)+/, "").replace(/(?<=.)\/+$/, ""));
}

/**
 * As typedPath(), for what shall be made. On Windows a backslash may be meant to stand between names: nothing is made of it.
 *
 * @throws StorageError BAD_PATH
 */
export function typedNewPath(typed: string, platform: NodeJS.Platform = process.platform): string {
  const path = typedPath(typed);
  if (platform !== "win32") return path;
  return checkPath(path, "plain");
}

/** As typedNewPath(), for a folder; "" is the root, which people write as `.` or `/`. */
export function typedFolder(typed: string): string {
  return ["", ".", "/", "./"].includes(typed) ? "" : typedNewPath(typed);
}

/** A file, a folder or a pattern of the repository as people type it: `./` in front and `/` behind may be. "" is all. */
export function typedSource(typed: string): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (path === "." || (path === "" && typed !== "")) return "";
  if (isGlob(path)) return path;
  return checkPath(path);
}

/** The new name that --as gives: a path below the folder that it goes into; as typedNewPath(). @throws UsageError */
export function typedName(typed: string, platform: NodeJS.Platform = process.platform): string {
  const path = typed.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  const fault = pathFault(path, platform === "win32" ? "plain" : "any");
  if (fault === undefined) return path;
  throw new UsageError(`--as ${quote(typed)} is not a name below the folder that it goes into: ${fault}.`);
}

export interface FetchPlanOptions {
  readonly sources: readonly string[];
  readonly naming: FetchNaming;
  readonly signal: AbortSignal;
  onPlanned(item: TransferItem): void;
  /** A source, or something in it, that can't be fetched. */
  onFailed(source: string, error: CommError): void;
  /** Something in a source that is not fetched, which is no failure. */
  onLeftOut(left: LeftOutThing): void;
}

/** What is fetched is called at its target. */
export interface FetchNaming {
  /** The folder that all goes into; "" is the target's own, undefined that there is none. */
  readonly into: string | undefined;
  /** The path of the one file that is fetched, when that was asked for by its name. */
  readonly fileName?: string | undefined;
  /** In `into`, in place of its own name: the path of the one file or folder that is fetched. */
  readonly as?: string | undefined;
}

/** What a `get` of these sources fetches, in the order in which the server tells. */
export async function* planFetch(client: Client, options: FetchPlanOptions): AsyncGenerator<TransferItem[], void> {
  for (const source of options.sources) {
    try {
      for await (const batch of planSource(client, source, options)) {
        const items = batch.filter((item) => hasTarget(item, options));
        for (const item of items) options.onPlanned(item);
        yield items;
      }
    } catch (thrown) {
      if (!(thrown instanceof CommError) || !isAboutSource(thrown)) throw thrown;
      options.onFailed(source, withSlash(thrown, source));
    }
  }
}

/** On Windows people may write a backslash between names: they are told what stands there. */
export function withSlash(error: CommError, path: string, platform: NodeJS.Platform = process.platform): CommError {
  if (error.code !== "NOT_FOUND" || platform !== "win32" || !path.includes("\\")) return error;
  return new CommError("NOT_FOUND", `${error.message} Between names stands "/".`, { cause: error });
}

/** False when the item would go to what is no path, which is told. */
function hasTarget({ from, to }: TransferItem, { onFailed }: FetchPlanOptions): boolean {
  const fault = pathFault(to);
  if (fault === undefined) return true;
  onFailed(from, new StorageError("BAD_PATH", `Nothing can be fetched to ${quote(to)}: ${fault}.`));
  return false;
}

/** True for what another source does not suffer from. */
function isAboutSource({ code }: CommError): boolean {
  return ["NOT_FOUND", "NOT_A_FILE", "NOT_ALLOWED", "UNREADABLE", "BAD_PATH", "BAD_PARAMS", "INCOMPLETE"].includes(
    code,
  );
}

async function* planSource(
  client: Client,
  source: string,
  options: FetchPlanOptions,
): AsyncGenerator<TransferItem[], void> {
  const { naming, signal, onFailed, onLeftOut } = options;
  const entry = source === "" ? undefined : await findNamed(client, source);
  const isPattern = entry === undefined && source !== "";
  // What stands before it is not kept: "get docs/a" makes a, as with cp.
  const selection = isPattern ? selectGlob(source) : undefined;
  const top = selection?.top ?? parentOf(source);
  const isBelowTop = (path: string) => top === "" || path.startsWith(`${top}/`);
  const isAskedFor = selection?.matches ?? ((path: string) => source === "" || path.startsWith(`${source}/`));
  if (entry !== undefined) requireListed(client, entry.path, (path) => path === source);
  if (entry?.kind === "file") {
    const named = naming.as === undefined ? naming.fileName : undefined;
    yield [itemOf(entry, named ?? joinPath(folderOf(naming), naming.as ?? baseName(source)))];
    return;
  }
  if (entry !== undefined && entry.kind !== "folder") {
    throw new CommError("NOT_A_FILE", `${quote(source)} is neither a file nor a folder.`);
  }
  if (isPattern && naming.as !== undefined) {
    throw new UsageError(`--as names one file or folder, and ${quote(source)} is a pattern.`);
  }
  const into = folderOf(naming);
  const rename = (path: string) => {
    const own = top === "" ? path : path.slice(top.length + 1);
    const as =
      naming.as === undefined ? own : joinPath(naming.as, source === "" ? path : path.slice(source.length + 1));
    return joinPath(into, as);
  };
  if (entry?.kind === "folder") yield [itemOf(entry, rename(source))];
  let count = 0;
  const above = new FoldersAbove<Entry>();
  const asked = entry !== undefined && isGlob(source) ? { path: source } : source || undefined;
  const list = client.listBatches(asked, signal, { parents: isPattern, maxEntries: MAX_LISTED });
  for (let step = await list.next(); ; step = await list.next()) {
    if (step.done) {
      tellLeftOut(source, step.value, options);
      count += step.value.skipped;
      break;
    }
    const items: TransferItem[] = [];
    for (const found of step.value) {
      const isParent = isPattern && found.kind === "folder" && !isAskedFor(found.path);
      requireListed(client, found.path, isParent ? isBelowTop : isAskedFor);
      if (!isParent) count++;
      // A pattern for files does not mean the folders that it happens to match: they come with what is in them.
      const isMeant =
        found.kind === "file" || (found.kind === "folder" && !isParent && (!isPattern || source.endsWith("**")));
      if (isMeant) {
        for (const folder of above.take(found.path)) items.push(foundItem(folder, rename(folder.path)));
        items.push(foundItem(found, rename(found.path)));
      } else if (found.kind === "folder") above.enter(found);
      else onLeftOut(oddKind(found.path, found.kind, "the repository"));
    }
    yield items;
  }
  if (count === 0 && isPattern) onFailed(source, new CommError("NOT_FOUND", `Nothing matches ${quote(source)}.`));
}

/** @throws UsageError */
function folderOf({ into }: FetchNaming): string {
  if (into === undefined)
    throw new UsageError("--output names a file that is there: nothing but one file can go to it.");
  return into;
}

/** @throws ProtocolError BAD_PAYLOAD for a path that was not asked for: a server must not choose what it writes here */
function requireListed({ paths }: Client, path: string, isAskedFor: (path: string) => boolean): void {
  const fault = pathFault(path, paths) ?? (isAskedFor(path) ? undefined : "it was not asked for");
  if (fault !== undefined) throw new ProtocolError("BAD_PAYLOAD", `The server lists ${quote(path)}: ${fault}.`);
}

function itemOf({ path, kind, size, modifiedAt, mode }: Entry, to: string): TransferItem {
  return { from: path, to, kind: kind === "folder" ? "folder" : "file", size, modifiedAt, mode };
}

function foundItem(entry: Entry, to: string): TransferItem {
  return { ...itemOf(entry, to), isFound: true };
}

/** What the server says that its list leaves out. */
function tellLeftOut(source: string, trailer: ListTrailer, { onFailed, onLeftOut }: FetchPlanOptions): void {
  const { skipped, unreadable = skipped, leftOut = [] } = trailer;
  let [others, denied] = [skipped - unreadable, unreadable];
  for (const told of leftOut) {
    const left = toldByServer(told);
    if (left.code === "UNREADABLE") {
      denied--;
      onFailed(left.path, new CommError("UNREADABLE", `The server may not read ${quote(left.path || ".")}.`));
    } else {
      others--;
      onLeftOut(left);
    }
  }
  if (denied > 0) onFailed(source, moreDenied(source, denied));
  if (others > 0) onLeftOut({ path: source, code: "BAD_PATH", why: "no names that can be paths", count: others });
}

/** A server that tells no names may mean names that are no paths as well. */
function moreDenied(source: string, count: number): CommError {
  const where = source === "" ? "the repository" : quote(source);
  return new CommError(
    "UNREADABLE",
    `The server leaves out ${count} of what is in ${where}: unreadable, or no name that can be served.`,
  );
}
