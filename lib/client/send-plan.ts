import { StorageError, toCommError } from "../errors.ts";
import { FoldersAbove } from "../folders-above.ts";
import { joinPath, pathFault } from "../path.ts";
import { quote } from "../quote.ts";
import { type Selection, selectGlob } from "../selection.ts";
import type { LeftOut, Storage, StorageEntry } from "../storage/storage.ts";
import type { Filter } from "./filter.ts";
import { badName, gone, keptBack, type LeftOutThing, oddKind } from "./left-out.ts";
import { NamingError, type PlanEvents } from "./plan.ts";
import type { UploadItem } from "./transfer.ts";

/** A tree to send files from. */
export type SendTree = UploadItem["local"] & Pick<Storage, "stat" | "list">;

/** A source that a person names. `name` is its name in the repository; "" for a folder that adds no name. */
export type SendSource = (
  | { readonly kind: "file"; readonly name: string /** In the tree. */; readonly path: string }
  | { readonly kind: "folder"; readonly name: string }
  | { readonly kind: "pattern" /** For paths of the tree. */; readonly pattern: string }
) & {
  /** The source's tree; a folder is the root of its own tree. @throws StorageError */
  open(): Promise<SendTree>;
};

/** The port to sources on a person's machine: a disk, or files given to a page. */
export interface LocalSources {
  /** @throws CommError for a source that can't be sent */
  find(source: string): Promise<SendSource>;
  /** Private paths that the trees' lists have left out since the last call. */
  takeHidden(): string[];
}

export interface SendPlanOptions extends PlanEvents<UploadItem> {
  /** Files, folders and patterns of this machine, as people typed them. */
  readonly sources: readonly string[];
  /** Where they are found. */
  readonly here: LocalSources;
  /** Folder of the repository; "" is its root. */
  readonly to: string;
  /** The path below `to` of the one sent file or folder, instead of its own name. */
  readonly as?: string | undefined;
  /** What is sent of the sources. Its paths are below a source that is a folder, or the folder that a pattern begins in. */
  readonly filter?: Filter | undefined;
}

/** The items that a `put` of these sources sends, in the order of the disk's lists. */
export async function* planSend(options: SendPlanOptions): AsyncGenerator<UploadItem[], void> {
  for (const source of options.sources) {
    try {
      for await (const batch of planSource(source, options)) {
        for (const item of batch) options.onPlanned(item);
        yield batch;
      }
    } catch (thrown) {
      options.onFailed(source, toCommError(thrown));
    }
  }
}

async function* planSource(source: string, options: SendPlanOptions): AsyncGenerator<UploadItem[], void> {
  const found = await options.here.find(source);
  if (found.kind === "pattern") {
    if (options.as !== undefined) throw new NamingError("pattern", source);
    return yield* planPattern(source, selectGlob(found.pattern), await found.open(), options);
  }
  const { filter } = options;
  const target = joinPath(options.to, options.as ?? checkName(found.name, source));
  const local = await found.open();
  if (found.kind === "file") {
    const entry = await local.stat(found.path);
    if (filter?.takes({ ...entry, path: found.name }) !== false) yield [itemOf(entry, target, local)];
    return;
  }
  if (found.name !== "" && filter?.enters(found.name) === false) return;
  if (target !== "") yield [itemOf(await local.stat(""), target, local)];
  yield* planBelow(local, target, options);
}

async function* planPattern(
  source: string,
  selection: Selection,
  local: SendTree,
  options: SendPlanOptions,
): AsyncGenerator<UploadItem[], void> {
  let count = 0;
  const onLeftOut = (left: LeftOutThing) => {
    count++;
    options.onLeftOut(left);
  };
  for await (const batch of planBelow(local, options.to, { ...options, onLeftOut }, selection, () => count++)) {
    count += batch.filter(({ kind }) => kind === "file").length;
    yield batch;
  }
  if (count === 0) throw new StorageError("NO_SUCH_FILE", `Nothing matches ${quote(source)}.`);
}

async function* planBelow(
  local: SendTree,
  target: string,
  { here, filter, onFailed, onLeftOut }: SendPlanOptions,
  /** A pattern's selection; its folders come with their contents. */
  selection?: Selection,
  /** Something that was asked for does not pass the filter. */
  onFiltered: () => void = () => {},
): AsyncGenerator<UploadItem[], void> {
  const matches = selection?.matches;
  const left: LeftOut[] = [];
  const above = new FoldersAbove<StorageEntry>();
  const takesFolders = selection === undefined && filter?.takesEmptyFolders !== false;
  const options = {
    enter: (folder: string) => selection?.reaches(folder) !== false && filter?.enters(folder) !== false,
    onLeftOut: (each: LeftOut) => void left.push(each),
  };
  for await (const batch of local.list("", options)) {
    const items: UploadItem[] = [];
    for (const entry of batch) {
      if (entry.kind === "folder" && !takesFolders) above.enter(entry);
      else if (matches?.(entry.path) === false) continue;
      else if (filter?.takes(entry) === false) onFiltered();
      else if (entry.kind === "file" || entry.kind === "folder")
        for (const found of [...above.take(entry.path), entry])
          items.push({ ...itemOf(found, joinPath(target, found.path), local), isFound: true });
      else onLeftOut(oddKind(entry.path, entry.kind, "the folder that is sent"));
    }
    yield items;
    tellLeftOut();
  }
  tellLeftOut();
  for (const path of here.takeHidden()) if (isMeant(path)) onLeftOut(keptBack(path));

  /** Whether something that can't be sent was asked for. */
  function isMeant(path: string): boolean {
    return matches?.(path) !== false && filter?.excludes(path) !== true;
  }

  function tellLeftOut(): void {
    for (const { name, code } of left.splice(0)) {
      if (code === "UNREADABLE" && filter?.excludes(name) !== true)
        onFailed(name, new StorageError("DISK_DENIED", `No permission to read ${quote(name || ".")}.`));
      else if (isMeant(name)) onLeftOut(code === "NOT_FOUND" ? gone(name, { code: "NO_SUCH_FILE" }) : badName(name));
    }
  }
}

function checkName(name: string, source: string): string {
  const fault = name === "" ? undefined : pathFault(name);
  if (fault === undefined) return name;
  throw new StorageError("BAD_PATH", `${quote(source)} can't have its name in a repository: ${fault}.`);
}

function itemOf(entry: StorageEntry, to: string, local: SendTree): UploadItem {
  const { path, size, modifiedAt, mode } = entry;
  return { from: path, to, kind: entry.kind === "folder" ? "folder" : "file", size, modifiedAt, mode, local };
}
