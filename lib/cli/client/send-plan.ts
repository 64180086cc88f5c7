import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { UploadItem } from "../../client/transfer.ts";
import { type CommError, StorageError, toCommError } from "../../errors.ts";
import { FoldersAbove } from "../../folders-above.ts";
import { isGlob } from "../../glob.ts";
import { joinPath, pathFault } from "../../path.ts";
import { quote } from "../../quote.ts";
import { type Selection, selectGlob } from "../../selection.ts";
import { readError } from "../../storage/disk-error.ts";
import { LocalStorage } from "../../storage/local/local.ts";
import { fromLocalName } from "../../storage/local/names/local-names.ts";
import type { PrivatePlaces } from "../../storage/local/private/private-places.ts";
import type { LeftOut, StorageEntry } from "../../storage/storage.ts";
import { UsageError } from "../usage-error.ts";
import { badName, gone, type LeftOutThing, oddKind } from "./left-out.ts";

export interface SendPlanOptions {
  /** Files, folders and patterns of this machine, as people typed them. */
  readonly sources: readonly string[];
  /** Folder of the repository; "" is its root. */
  readonly to: string;
  /** In `to`, in place of its own name: the path of the one file or folder that is sent. */
  readonly as?: string | undefined;
  /** What is left out. */
  readonly places: PrivatePlaces;
  onPlanned(item: UploadItem): void;
  /** A source, or something in it, that can't be sent. */
  onFailed(source: string, error: CommError): void;
  /** Something in a source that is not sent, which is no failure. */
  onLeftOut(left: LeftOutThing): void;
}

/** What a `put` of these sources sends, in the order in which the disk tells. */
export async function* planSend(options: SendPlanOptions): AsyncGenerator<UploadItem[], void> {
  const here = new Sources(options.places);
  for (const source of options.sources) {
    try {
      for await (const batch of planSource(source, options, here)) {
        for (const item of batch) options.onPlanned(item);
        yield batch;
      }
    } catch (thrown) {
      options.onFailed(source, toCommError(thrown));
    }
  }
}

/** The folders of this machine that are sent from. */
class Sources {
  readonly #places: PrivatePlaces;
  readonly #opened = new Map<string, Promise<LocalStorage>>();
  /** Paths that a list has left out. */
  readonly #hidden: string[] = [];

  constructor(places: PrivatePlaces) {
    this.#places = places;
  }

  /** @throws as LocalStorage.ofUser() */
  open(folder: string): Promise<LocalStorage> {
    const settings = { places: this.#places, onHidden: (path: string) => void this.#hidden.push(path) };
    const opened = this.#opened.get(folder) ?? LocalStorage.ofUser(folder, settings);
    this.#opened.set(folder, opened);
    return opened;
  }

  /** What lists have left out since the last call. */
  takeHidden(): string[] {
    return this.#hidden.splice(0);
  }
}

async function* planSource(
  source: string,
  options: SendPlanOptions,
  here: Sources,
): AsyncGenerator<UploadItem[], void> {
  // A file may have such a name; a shell that has no patterns of its own leaves them to us.
  if (isGlob(source) && !existsSync(source)) {
    if (options.as !== undefined)
      throw new UsageError(`--as names one file or folder, and ${quote(source)} is a pattern.`);
    return yield* planPattern(source, options, here);
  }
  const { real, isFolder } = lookAt(source);
  const isHere = [".", ".."].includes(basename(source)) || dirname(real) === real;
  const name = isHere ? "" : fromLocalName(basename(resolve(source)));
  const target = joinPath(options.to, options.as ?? checkName(name, source));
  if (isFolder) {
    const local = await here.open(real);
    if (target !== "") yield [itemOf(await local.stat(""), target, local)];
    return yield* planBelow(local, target, options, here);
  }
  const local = await here.open(dirname(real));
  yield [itemOf(await local.stat(fromLocalName(basename(real))), target, local)];
}

/** A link that is named is meant: what it leads to, under the link's name. @throws StorageError; UsageError */
function lookAt(source: string): { real: string; isFolder: boolean } {
  if (source === "-" && !existsSync(source)) throw notSent("Standard input");
  try {
    const stats = statSync(source);
    // What there is to send, and how much of it, must be known before it moves, and be there still after a lost link.
    if (!stats.isFile() && !stats.isDirectory()) throw notSent(quote(source));
    return { real: realpathSync(source), isFolder: stats.isDirectory() };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw readError(cause, quote(source), "user");
  }
}

function notSent(what: string): UsageError {
  return new UsageError(`${what} is no file that can be sent. Write what comes from it to a file, and put that.`);
}

async function* planPattern(
  pattern: string,
  options: SendPlanOptions,
  here: Sources,
): AsyncGenerator<UploadItem[], void> {
  const { top, below: inTop } = splitPattern(pattern);
  const selection = selectGlob(inTop);
  const local = await here.open(top);
  let count = 0;
  const onLeftOut = (left: LeftOutThing) => {
    count++;
    options.onLeftOut(left);
  };
  for await (const batch of planBelow(local, options.to, { ...options, onLeftOut }, here, selection)) {
    count += batch.filter(({ kind }) => kind === "file").length;
    yield batch;
  }
  if (count === 0) throw new StorageError("NO_SUCH_FILE", `Nothing matches ${quote(pattern)}.`);
}

/** The folder of this machine in which a pattern begins, which is no repository path, and the pattern below it. */
export function splitPattern(
  pattern: string,
  platform: NodeJS.Platform = process.platform,
): { top: string; below: string } {
  const isWindows = platform === "win32";
  const components = (isWindows ? pattern.replaceAll("\\", "/") : pattern).split("/");
  const first = components.findIndex(isGlob);
  const top = components.slice(0, first).join("/");
  const below = components.slice(first).join("/");
  if (first === 0) return { top: ".", below };
  // "C:" alone is the folder that one is in on that drive.
  return { top: isWindows && /^[A-Za-z]:$/.test(top) ? `${top}/` : top || "/", below };
}

async function* planBelow(
  local: LocalStorage,
  target: string,
  { onFailed, onLeftOut }: SendPlanOptions,
  here: Sources,
  /** Of a pattern: folders come with what is in them. */
  selection?: Selection,
): AsyncGenerator<UploadItem[], void> {
  const matches = selection?.matches;
  const left: LeftOut[] = [];
  const above = new FoldersAbove<StorageEntry>();
  const options = {
    enter: selection?.reaches ?? (() => true),
    onLeftOut: (each: LeftOut) => void left.push(each),
  };
  for await (const batch of local.list("", options)) {
    const items: UploadItem[] = [];
    for (const entry of batch) {
      if (matches !== undefined && entry.kind === "folder") above.enter(entry);
      else if (matches?.(entry.path) === false) continue;
      else if (entry.kind === "file" || entry.kind === "folder")
        for (const found of [...above.take(entry.path), entry])
          items.push({ ...itemOf(found, joinPath(target, found.path), local), isFound: true });
      else onLeftOut(oddKind(entry.path, entry.kind, "the folder that is sent"));
    }
    yield items;
    tellLeftOut();
  }
  tellLeftOut();
  for (const path of here.takeHidden()) if (matches?.(path) !== false) onLeftOut(keptBack(path));

  function tellLeftOut(): void {
    for (const { name, code } of left.splice(0)) {
      if (code === "UNREADABLE")
        onFailed(name, new StorageError("DISK_DENIED", `No permission to read ${quote(name || ".")}.`));
      else if (matches?.(name) === false) continue;
      else onLeftOut(code === "NOT_FOUND" ? gone(name, { code: "NO_SUCH_FILE" }) : badName(name));
    }
  }
}

function keptBack(path: string): LeftOutThing {
  return { path, code: "OWN_STATE", why: "where CommServer keeps its own keys and records" };
}

function checkName(name: string, source: string): string {
  const fault = name === "" ? undefined : pathFault(name);
  if (fault === undefined) return name;
  throw new StorageError("BAD_PATH", `${quote(source)} can't have its name in a repository: ${fault}.`);
}

function itemOf(entry: StorageEntry, to: string, local: LocalStorage): UploadItem {
  const { path, size, modifiedAt, mode } = entry;
  return { from: path, to, kind: entry.kind === "folder" ? "folder" : "file", size, modifiedAt, mode, local };
}
