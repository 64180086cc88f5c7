import { CommError, ProtocolError, StorageError } from "../errors.ts";
import { FoldersAbove } from "../folders-above.ts";
import { isGlob } from "../glob.ts";
import { baseName, joinPath, parentOf, pathFault } from "../path.ts";
import type { Entry, ListTrailer, StatResult } from "../protocol/methods.ts";
import { quote } from "../quote.ts";
import { selectGlob } from "../selection.ts";
import { findNamed } from "./asked.ts";
import type { Client } from "./client.ts";
import type { Filter } from "./filter.ts";
import { oddKind, toldByServer } from "./left-out.ts";
import { MAX_LISTED } from "./path-set.ts";
import { NamingError, type PlanEvents } from "./plan.ts";
import type { TransferItem } from "./transfer.ts";

export interface FetchPlanOptions extends PlanEvents<TransferItem> {
  /** Files, folders and patterns of the repository; "" is all. */
  readonly sources: readonly string[];
  readonly naming: FetchNaming;
  /** What is fetched of the sources. Its paths are below a source that is a folder, or the folder that a pattern begins in. */
  readonly filter?: Filter | undefined;
  readonly signal: AbortSignal;
}

/** The names that fetched files get at their target. */
export interface FetchNaming {
  /** The folder that all files go into; "" is the root of the target; undefined: there is none. */
  readonly into: string | undefined;
  /** The path of the one fetched file, when it was requested by its name. */
  readonly fileName?: string | undefined;
  /** Files keep the folders above them, too. */
  readonly keepsFolders?: boolean;
  /** The path below `into` of the one fetched file or folder, instead of its own name. */
  readonly as?: string | undefined;
}

/**
 * The items that a `get` of these sources fetches, in the order of the server's lists.
 *
 * @throws NamingError; ProtocolError BAD_PAYLOAD for an entry that was not requested; as Client.stat() and
 * listBatches()
 */
export async function* planFetch(client: Client, options: FetchPlanOptions): AsyncGenerator<TransferItem[], void> {
  const { sources, naming } = options;
  // A list of names may be long: its next ones are looked up meanwhile.
  const ahead = naming.keepsFolders ? LOOKED_AHEAD : 1;
  const looks: ReturnType<typeof lookUp>[] = [];
  for (const [index, source] of sources.entries()) {
    for (const next of sources.slice(index + looks.length, index + ahead)) looks.push(lookUp(client, next, naming));
    try {
      const { entry, error } = await (looks.shift() ?? lookUp(client, source, naming));
      if (error !== undefined) throw error;
      for await (const batch of planSource(client, source, entry, options)) {
        const items = batch.filter((item) => hasTarget(item, options));
        for (const item of items) options.onPlanned(item);
        yield items;
      }
    } catch (thrown) {
      if (!(thrown instanceof CommError) || !isAboutSource(thrown)) throw thrown;
      options.onFailed(source, thrown);
    }
  }
}

/** False for an item whose target is not a path, which is reported. */
function hasTarget({ from, to }: TransferItem, { onFailed }: FetchPlanOptions): boolean {
  const fault = pathFault(to);
  if (fault === undefined) return true;
  onFailed(from, new StorageError("BAD_PATH", `Nothing can be fetched to ${quote(to)}: ${fault}.`));
  return false;
}

/** True for an error that stops only one source. */
function isAboutSource({ code }: CommError): boolean {
  return ["NOT_FOUND", "NOT_A_FILE", "NOT_ALLOWED", "UNREADABLE", "BAD_PATH", "BAD_PARAMS", "INCOMPLETE"].includes(
    code,
  );
}

/** How many of the next sources are looked up. */
const LOOKED_AHEAD = 64;

/** As findNamed(), but where there are only names, none is a pattern; it never rejects. */
async function lookUp(
  client: Client,
  source: string,
  { keepsFolders }: FetchPlanOptions["naming"],
): Promise<{ entry?: StatResult | undefined; error?: unknown }> {
  try {
    if (keepsFolders) return { entry: await client.stat(source) };
    return { entry: source === "" ? undefined : await findNamed(client, source) };
  } catch (error) {
    return { error };
  }
}

async function* planSource(
  client: Client,
  source: string,
  entry: StatResult | undefined,
  options: FetchPlanOptions,
): AsyncGenerator<TransferItem[], void> {
  const { naming, filter, signal, onFailed, onLeftOut } = options;
  const isPattern = entry === undefined && source !== "";
  // The leading folders are dropped: "get docs/a" makes "a", as cp does.
  const selection = isPattern ? selectGlob(source) : undefined;
  const top = selection?.top ?? parentOf(source);
  const isBelowTop = (path: string) => top === "" || path.startsWith(`${top}/`);
  const isAskedFor = selection?.matches ?? ((path: string) => source === "" || path.startsWith(`${source}/`));
  if (entry !== undefined) requireListed(client, entry.path, (path) => path === source);
  if (entry?.kind === "file") {
    if (filter?.takes({ ...entry, path: baseName(source) }) === false) return;
    const named = naming.as === undefined ? naming.fileName : undefined;
    const own = naming.keepsFolders ? source : baseName(source);
    yield [itemOf(entry, named ?? joinPath(folderOf(naming), naming.as ?? own))];
    return;
  }
  if (entry !== undefined && entry.kind !== "folder") {
    throw new CommError("NOT_A_FILE", `${quote(source)} is neither a file nor a folder.`);
  }
  if (isPattern && naming.as !== undefined) throw new NamingError("pattern", source);
  const into = folderOf(naming);
  const rename = (path: string) => {
    const own = top === "" || naming.keepsFolders ? path : path.slice(top.length + 1);
    const as =
      naming.as === undefined ? own : joinPath(naming.as, source === "" ? path : path.slice(source.length + 1));
    return joinPath(into, as);
  };
  if (entry !== undefined && filter?.enters(baseName(source)) === false) return;
  /** The folder that the filter's paths are below. */
  const root = isPattern ? top : source;
  const below = (path: string) => (root === "" ? path : path.slice(root.length + 1));
  const takes = (found: Entry) => filter?.takes({ ...found, path: below(found.path) }) !== false;
  const takesFolders = filter?.takesEmptyFolders !== false && (!isPattern || source.endsWith("**"));
  if (entry?.kind === "folder") yield [itemOf(entry, rename(source))];
  let count = 0;
  const above = new FoldersAbove<Entry>();
  const asked = entry !== undefined && isGlob(source) ? { path: source } : source || undefined;
  const list = client.listBatches(asked, signal, { parents: isPattern, maxEntries: MAX_LISTED });
  for (let step = await list.next(); ; step = await list.next()) {
    if (step.done) {
      tellLeftOut(source, step.value, options, (path) => filter?.excludes(below(path)) !== true);
      count += step.value.skipped;
      break;
    }
    const items: TransferItem[] = [];
    for (const found of step.value) {
      const isParent = isPattern && found.kind === "folder" && !isAskedFor(found.path);
      requireListed(client, found.path, isParent ? isBelowTop : isAskedFor);
      if (!isParent) count++;
      if (!takes(found)) continue;
      // A pattern for files does not select the folders that it happens to match: they come with their contents.
      if (found.kind === "file" || (found.kind === "folder" && !isParent && takesFolders)) {
        for (const folder of above.take(found.path)) items.push(foundItem(folder, rename(folder.path)));
        items.push(foundItem(found, rename(found.path)));
      } else if (found.kind === "folder") above.enter(found);
      else onLeftOut(oddKind(found.path, found.kind, "the repository"));
    }
    yield items;
  }
  if (count === 0 && isPattern) onFailed(source, new CommError("NOT_FOUND", `Nothing matches ${quote(source)}.`));
}

/** @throws NamingError */
function folderOf({ into }: FetchNaming): string {
  if (into === undefined) throw new NamingError("file");
  return into;
}

/**
 * @throws ProtocolError BAD_PAYLOAD for a path that was not requested: a server must not choose where it writes here
 */
function requireListed({ paths }: Client, path: string, isAskedFor: (path: string) => boolean): void {
  const fault = pathFault(path, paths) ?? (isAskedFor(path) ? undefined : "it was not requested");
  if (fault !== undefined) throw new ProtocolError("BAD_PAYLOAD", `The server lists ${quote(path)}: ${fault}.`);
}

function itemOf({ path, kind, size, modifiedAt, mode }: Entry, to: string): TransferItem {
  return { from: path, to, kind: kind === "folder" ? "folder" : "file", size, modifiedAt, mode };
}

function foundItem(entry: Entry, to: string): TransferItem {
  return { ...itemOf(entry, to), isFound: true };
}

/** Reports the entries that the server's list leaves out. */
export function tellLeftOut(
  source: string,
  trailer: ListTrailer,
  { onFailed, onLeftOut }: Pick<FetchPlanOptions, "onFailed" | "onLeftOut">,
  isMeant: (path: string) => boolean,
): void {
  const { skipped, unreadable = skipped, leftOut = [] } = trailer;
  let [others, denied] = [skipped - unreadable, unreadable];
  for (const told of leftOut) {
    const left = toldByServer(told);
    if (left.code === "UNREADABLE") {
      denied--;
      if (isMeant(left.path))
        onFailed(
          left.path,
          new CommError("UNREADABLE", `The server has no permission to read ${quote(left.path || ".")}.`),
        );
    } else {
      others--;
      if (isMeant(left.path)) onLeftOut(left);
    }
  }
  if (denied > 0) onFailed(source, moreDenied(source, denied));
  if (others > 0) onLeftOut({ path: source, code: "BAD_PATH", why: "no names that can be paths", count: others });
}

/** A server that reports no names may also have left out names that can't be paths. */
function moreDenied(source: string, count: number): CommError {
  const where = source === "" ? "the repository" : quote(source);
  return new CommError(
    "UNREADABLE",
    `The server leaves out ${count} entries in ${where}: unreadable, or with a name that can't be served.`,
  );
}
