import { parentOf } from "../path.ts";
import { storageFault } from "../storage-faults.ts";
import { copyPath } from "./copy-name.ts";
import { MemoryPart } from "./memory-part.ts";
import { MemoryTree } from "./memory-tree.ts";
import { ProvisionalFolders } from "./provisional-folders.ts";
import {
  checkSize,
  type ExistsPolicy,
  type FileFacts,
  isSmall,
  type ListOptions,
  type LoadedFile,
  type OpenFile,
  type PartFile,
  type Placement,
  type RemoveOptions,
  type Storage,
  type StorageChange,
  type StorageEntry,
  type Unfinished,
} from "./storage.ts";

/** A tree in memory: for tests, and in place of a folder that does not exist yet. */
export class MemoryStorage implements Storage {
  readonly location = "memory";
  readonly capabilities = { watch: true, atomicRename: true, emptyFolders: true };
  readonly #tree = new MemoryTree();
  readonly #parts = new Map<string, MemoryPart>();
  readonly #made = new ProvisionalFolders();
  readonly #listeners = new Set<(changes: readonly StorageChange[]) => void>();

  freeBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  set(path: string, bytes: Uint8Array, modifiedAt = 0, executable = false, mode?: number): void {
    const change = this.#tree.files.has(path) ? "changed" : "added";
    this.#tree.setFile(path, { bytes, modifiedAt, executable, mode });
    void this.stat(path).then((entry) => this.#tell({ change, path, entry }));
  }

  delete(path: string): void {
    if (this.#tree.files.delete(path)) this.#tell({ change: "removed", path, wasFolder: false });
  }

  async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stat(path: string): Promise<StorageEntry> {
    return this.#tree.stat(path);
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if (!this.#tree.isFolder(path)) throw storageFault.notListed(path);
    for (const child of this.#tree.childrenOf(path)) {
      const entry = this.#tree.stat(child);
      yield [entry];
      if (entry.kind === "folder" && options.enter(entry.path)) yield* this.list(entry.path, options);
    }
  }

  async open(path: string): Promise<OpenFile> {
    const entry = this.#tree.stat(path);
    const file = this.#tree.files.get(path);
    if (file === undefined) throw storageFault.notAFile(path, "a folder");
    const { bytes, version } = file;
    const check = async () => {
      if (this.#tree.files.get(path)?.version !== version) throw storageFault.changed(path);
    };
    return {
      entry,
      check,
      hasGrown: false,
      read: async (buffer, position) => {
        await check();
        const piece = bytes.subarray(position, position + buffer.length);
        buffer.set(piece);
        return piece.length;
      },
      source: () => undefined,
      holes: () => [],
      close: async () => {},
    };
  }

  async load(path: string, limit: number): Promise<LoadedFile | undefined> {
    const entry = this.#tree.stat(path);
    const file = this.#tree.files.get(path);
    if (file === undefined || file.bytes.length > limit) return undefined;
    return { entry, bytes: new Uint8Array(file.bytes) };
  }

  /** No two paths are the same name here. */
  async hasOwnName(): Promise<boolean> {
    return true;
  }

  async place(path: string, facts: Pick<FileFacts, "size" | "modifiedAt">, exists: ExistsPolicy): Promise<Placement> {
    for (let copy = 0; ; copy++) {
      const tried = copy === 0 ? path : copyPath(path, copy);
      const there = await this.stat(tried).catch(() => undefined);
      if (there?.kind === "file" && there.size === facts.size && there.modifiedAt === facts.modifiedAt) {
        return { outcome: "unchanged", path: tried };
      }
      if (there === undefined || (exists === "overwrite" && there.kind === "file")) {
        checkSize(path, facts);
        const part = isSmall(facts) ? undefined : this.#parts.get(tried);
        if (part?.facts.size !== facts.size) return { outcome: "vacant", path: tried };
        return { outcome: "vacant", path: tried, resume: { etag: part.facts.etag, missing: part.missing } };
      }
      if (exists === "skip") return { outcome: "skipped", path };
      if (exists !== "rename") throw storageFault.exists(path);
    }
  }

  async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    checkSize(path, facts);
    this.#makeFolders(parentOf(path), true);
    const found = this.#parts.get(path);
    if (found?.isTaken) throw storageFault.transferred(path);
    const part = found?.isOf(facts) ? found : new MemoryPart(facts);
    part.isTaken = true;
    this.#parts.set(path, part);
    return {
      path,
      facts,
      get missing() {
        return part.missing;
      },
      get present() {
        return part.present;
      },
      write: async (offset, bytes) => part.write(offset, bytes),
      commit: async () => {
        part.isTaken = false;
        if (!this.#tree.isFolder(parentOf(path))) {
          throw storageFault.holderLeft(path, "NOT_FOUND");
        }
        const free = this.#freePath(path, exists);
        this.#parts.delete(path);
        this.#put(free, part.bytes, facts);
        this.#made.claim(parentOf(path));
        return free;
      },
      keep: async () => {
        part.isTaken = false;
        this.#made.claim(parentOf(path));
      },
      discard: async () => {
        this.#parts.delete(path);
        this.#made.undo(path, (folder) => !this.#isFilled(folder) && this.#tree.folders.delete(folder));
      },
    };
  }

  async store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    const content = new Uint8Array(bytes);
    await this.makeFolder(parentOf(path));
    const free = this.#freePath(path, exists);
    this.#put(free, content, facts);
    return free;
  }

  async makeFolder(path: string, mode?: number): Promise<boolean> {
    const isNew = !this.#tree.isFolder(path);
    this.#makeFolders(path, false);
    this.#made.claim(path);
    if (isNew) this.#tree.folders.set(path, mode);
    return isNew;
  }

  async finishFolder(path: string, mode: number): Promise<void> {
    this.#tree.folders.set(path, mode);
  }

  async remove(path: string, options: RemoveOptions): Promise<void> {
    if (path === "") throw storageFault.wholeTree();
    const { kind } = this.#tree.stat(path);
    if (kind === "folder" && this.#tree.hasBelow(path) && !options.recursive) {
      throw storageFault.notEmpty(path);
    }
    this.#tree.delete(path);
    this.#tell({ change: "removed", path, wasFolder: kind === "folder" });
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    const { kind } = this.#tree.stat(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) throw storageFault.intoItself(from, to);
    const there = await this.stat(to).catch(() => undefined);
    const replaces = options.overwrite && kind === "file" && there?.kind === "file";
    if (there !== undefined && !replaces) throw storageFault.exists(to);
    await this.makeFolder(parentOf(to));
    this.#tree.move(from, to);
    this.#tell({ change: "removed", path: from, wasFolder: kind === "folder" });
    this.#tell({ change: replaces ? "changed" : "added", path: to, entry: this.#tree.stat(to) });
  }

  async *unfinished(): AsyncGenerator<Unfinished, void> {
    for (const [path, { facts, bytes }] of this.#parts) {
      yield { path: `${path}.part`, size: bytes.length, modifiedAt: facts.modifiedAt };
    }
  }

  async removeUnfinished(path: string): Promise<boolean> {
    const name = path.slice(0, -".part".length);
    return !this.#parts.get(name)?.isTaken && this.#parts.delete(name);
  }

  /** The path for a complete file. @throws StorageError EXISTS */
  #freePath(path: string, exists: ExistsPolicy): string {
    let free = path;
    for (let copy = 1; exists === "rename" && this.#tree.isTaken(free); copy++) free = copyPath(path, copy);
    if (this.#tree.isFolder(free)) throw storageFault.noFile(path);
    if (exists !== "overwrite" && this.#tree.files.has(free)) {
      throw storageFault.exists(path);
    }
    return free;
  }

  /** A replaced file keeps its permissions. */
  #put(path: string, bytes: Uint8Array, { modifiedAt, executable, mode }: FileFacts): void {
    const there = this.#tree.files.get(path);
    this.set(path, bytes, modifiedAt, there?.executable ?? executable, there === undefined ? mode : there.mode);
  }

  #makeFolders(path: string, isForFile: boolean): void {
    for (let folder = path; folder !== ""; folder = parentOf(folder)) {
      if (this.#tree.files.has(folder)) throw storageFault.noFolder(folder);
      if (isForFile && !this.#tree.isFolder(folder)) this.#made.add(folder);
    }
    this.#tree.addFolders(path);
  }

  #isFilled(folder: string): boolean {
    return this.#tree.hasBelow(folder) || [...this.#parts.keys()].some((key) => key.startsWith(`${folder}/`));
  }

  #tell(change: StorageChange): void {
    for (const listener of this.#listeners) listener([change]);
  }
}
