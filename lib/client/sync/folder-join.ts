import type { Digest64 } from "../../block.ts";
import { ProtocolError } from "../../errors.ts";
import { fold, foldPath } from "../../fold.ts";
import { baseName, type PathKind, parentOf, pathFault } from "../../path.ts";
import type { Entry } from "../../protocol/methods.ts";
import { quote } from "../../quote.ts";
import type { LeftOut, Storage } from "../../storage/storage.ts";
import { isStagedName, stagedPath } from "./staged-name.ts";

/** What a mirror compares of a file, a folder or anything else. Its path is below the mirrored folder. */
export type SyncEntry = Pick<Entry, "path" | "kind" | "size" | "modifiedAt" | "mode">;

/** What is at one path, on one side or on both. */
export interface Pair {
  readonly path: string;
  /** On this machine. */
  readonly here?: SyncEntry | undefined;
  /** In the repository. */
  readonly there?: SyncEntry | undefined;
  /** On one side only, and the other has a name here that some disks take for the same. */
  readonly isAlike: boolean;
  /**
   * On this machine only, beside another name that some disks take for the same: one that the repository lists, too, or
   * that comes before it.
   */
  readonly twin?: "listed" | "before" | undefined;
  /** The target has a staged file for it, which an interrupted run has left; as far as that is known before it. */
  readonly hasStaged?: boolean | undefined;
  /** What is here is such a file, for the source's file at this path. */
  readonly owner?: string | undefined;
}

export interface JoinOptions {
  /** The repository's list of the mirrored folder, depth first; the entries of one folder have no order. */
  readonly there: AsyncIterable<readonly Entry[]>;
  /** The mirrored folder in the repository; "" is its root. */
  readonly root: string;
  /** The kind of paths that the server supports. */
  readonly paths: PathKind;
  /** The mirrored folder of this machine is the root of this tree. */
  readonly here: Pick<Storage, "list">;
  /** Whether this machine has the source, whose twins are found. */
  readonly isSending: boolean;
  readonly digest64: Digest64;
  /** Whether to look into this folder of this machine. */
  enter(folder: string): boolean;
  /** Something that the lists of this machine leave out. */
  onLeftOut(left: LeftOut): void;
}

/** A folder whose list from the server is under way. */
interface OpenFolder {
  readonly path: string;
  /** Entries of this machine by name, without those that the server has listed, too. */
  readonly here: Map<string, SyncEntry>;
  /** Folded names of `here`, made when they are first needed. */
  hereFolded: ReadonlySet<string> | undefined;
  /** Folded names of entries that only the server has, as far as one of `here` may be alike. */
  readonly thereFolded: Set<string>;
  /** All names of this machine, if it has the source. */
  readonly sources: readonly string[];
  /** Files of the target alone that may be staged, and the files of the source that they were made of. */
  readonly staged: Map<string, { readonly entry: SyncEntry; owner?: string }>;
  /** Names of this machine that some disks take for the same, by what they have in common. */
  readonly twins: Twins;
  /** Files that only the server has, with a name like one of `here`, which the server may list as well. */
  readonly later: SyncEntry[];
}

type Twins = ReadonlyMap<string, readonly string[]>;

const NO_TWINS: Twins = new Map();

/** Pairs that are gathered before they are handed on. */
const BATCH = 256;

/**
 * Both sides of a mirror, path by path: each path once, and what is in a folder directly after it. The server's list
 * leads, and each folder of this machine is read when the list enters it. So one request is enough, whatever the order
 * of the list, and memory holds only the folders on the way to the present place.
 *
 * @throws ProtocolError BAD_PAYLOAD for an entry that was not requested; as `there` and Storage.list()
 */
export async function* joinFolders(options: JoinOptions): AsyncGenerator<Pair[], void> {
  const join = new FolderJoin(options);
  yield* join.run();
}

class FolderJoin {
  readonly #options: JoinOptions;
  readonly #open: OpenFolder[] = [];
  #pairs: Pair[] = [];

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  async *run(): AsyncGenerator<Pair[], void> {
    this.#open.push(await this.#read(""));
    for await (const batch of this.#options.there) {
      for (const entry of batch) {
        const found = { ...entry, path: this.#pathOf(entry) };
        while (this.#top(entry).path !== parentOf(found.path)) yield* this.#leave();
        const here = this.#pair(this.#top(entry), found);
        if (found.kind !== "folder") {
          if (here?.kind === "folder") yield* this.#walk(here.path);
          continue;
        }
        const isOnBoth = here?.kind === "folder" && this.#options.enter(found.path);
        this.#open.push(isOnBoth ? await this.#read(found.path) : newFolder(found.path));
      }
      if (this.#pairs.length >= BATCH) yield this.#take();
    }
    while (this.#open.length > 0) yield* this.#leave();
    yield this.#take();
  }

  /** The path below the mirrored folder. */
  #pathOf({ path }: Entry): string {
    const { root, paths } = this.#options;
    const isBelow = root === "" || path.startsWith(`${root}/`);
    const fault = pathFault(path, paths) ?? (isBelow ? undefined : "it was not requested");
    if (fault !== undefined) throw new ProtocolError("BAD_PAYLOAD", `The server lists ${quote(path)}: ${fault}.`);
    return root === "" ? path : path.slice(root.length + 1);
  }

  #top({ path }: Entry): OpenFolder {
    const top = this.#open.at(-1);
    if (top !== undefined) return top;
    throw new ProtocolError("BAD_PAYLOAD", `The server lists ${quote(path)} without its folder, or after it.`);
  }

  /** @returns the entry of this machine */
  #pair(folder: OpenFolder, there: SyncEntry): SyncEntry | undefined {
    const name = baseName(there.path);
    const here = folder.here.get(name) ?? folder.staged.get(there.path)?.entry;
    folder.here.delete(name);
    folder.staged.delete(there.path);
    if (here === undefined && this.#options.isSending && isStaged(there)) {
      folder.staged.set(there.path, { entry: there });
      return undefined;
    }
    let isAlike = false;
    if (here === undefined && folder.here.size > 0) {
      const folded = fold(name);
      folder.hereFolded ??= new Set([...folder.here.keys()].map(fold));
      isAlike = folder.hereFolded.has(folded);
      folder.thereFolded.add(folded);
    }
    if (isAlike && there.kind !== "folder") {
      folder.later.push(there);
      return undefined;
    }
    const hasStaged = !this.#options.isSending && this.#claim(folder, there);
    this.#pairs.push({ path: there.path, here, there, isAlike, hasStaged });
    return here;
  }

  /** Whether the source's file has a staged one in the target's folder. */
  #claim({ staged }: OpenFolder, { path, kind }: Pick<SyncEntry, "path" | "kind">): boolean {
    if (staged.size === 0 || kind !== "file") return false;
    const found = staged.get(stagedPath(path, this.#options.digest64));
    if (found !== undefined) found.owner = path;
    return found !== undefined;
  }

  /** The list has left the innermost folder: what remains of it is on this machine alone. */
  async *#leave(): AsyncGenerator<Pair[], void> {
    const folder = this.#open.pop();
    if (folder !== undefined) yield* this.#rest(folder);
  }

  async *#rest(folder: OpenFolder): AsyncGenerator<Pair[], void> {
    const { isSending } = this.#options;
    const left = new Set(folder.later.length > 0 ? [...folder.here.keys()].map(fold) : []);
    for (const there of folder.later) {
      this.#pairs.push({ path: there.path, there, isAlike: left.has(fold(baseName(there.path))) });
    }
    for (const [name, here] of folder.here) {
      const isAlike = folder.thereFolded.size > 0 && folder.thereFolded.has(fold(name));
      const hasStaged = isSending && this.#claim(folder, here);
      this.#pairs.push({ path: here.path, here, isAlike, twin: twinOf(name, folder), hasStaged });
      if (here.kind === "folder") yield* this.#walk(here.path);
      if (this.#pairs.length >= BATCH) yield this.#take();
    }
    for (const path of folder.sources) this.#claim(folder, { path, kind: "file" });
    for (const [path, { entry, owner }] of folder.staged) {
      this.#pairs.push({ path, [isSending ? "there" : "here"]: entry, isAlike: false, owner });
    }
  }

  /** What is in a folder that only this machine has. */
  async *#walk(folder: string): AsyncGenerator<Pair[], void> {
    if (this.#options.enter(folder)) yield* this.#rest(await this.#read(folder));
  }

  async #read(path: string): Promise<OpenFolder> {
    const { here, isSending, onLeftOut } = this.#options;
    const found = new Map<string, SyncEntry>();
    for await (const batch of here.list(path, { enter: () => false, onLeftOut: (left) => onLeftOut(left) })) {
      for (const { path: each, kind, size, modifiedAt, mode } of batch) {
        found.set(baseName(each), { path: each, kind, size, modifiedAt, mode });
      }
    }
    if (isSending) {
      const sources = [...found.values()].filter(({ kind }) => kind === "file").map(({ path: each }) => each);
      return newFolder(path, { here: found, sources, twins: twinsIn([...found.keys()]) });
    }
    const staged = [...found.values()].filter(isStaged);
    for (const each of staged) found.delete(baseName(each.path));
    return newFolder(path, { here: found, staged: new Map(staged.map((entry) => [entry.path, { entry }])) });
  }

  #take(): Pair[] {
    const pairs = this.#pairs;
    this.#pairs = [];
    return pairs;
  }
}

function newFolder(path: string, known: Partial<OpenFolder> = {}): OpenFolder {
  return {
    ...{ path, here: new Map(), hereFolded: undefined, thereFolded: new Set() },
    ...{ sources: [], staged: new Map(), twins: NO_TWINS, later: [] },
    ...known,
  };
}

function isStaged({ path, kind }: SyncEntry): boolean {
  return kind === "file" && isStagedName(path);
}

function twinsIn(names: readonly string[]): Twins {
  const folded = Map.groupBy(names, foldPath);
  if (folded.size === names.length) return NO_TWINS;
  return new Map([...folded].filter(([, twins]) => twins.length > 1));
}

/** As Pair.twin. All names that `folder` still has are on this machine only. */
function twinOf(name: string, { here, twins }: OpenFolder): Pair["twin"] {
  const all = twins.size === 0 ? undefined : twins.get(foldPath(name));
  if (all?.some((twin) => !here.has(twin))) return "listed";
  return all?.some((twin) => twin < name) ? "before" : undefined;
}
