import { BLOCK_BYTES, type Range } from "../block.ts";
import { StorageError } from "../errors.ts";
import { areSameRanges, sumOf, withoutHoles } from "../holes.ts";
import { baseName, parentOf } from "../path.ts";
import { quote } from "../quote.ts";
import { ProvisionalFolders } from "./provisional-folders.ts";
import { copyName } from "./publish.ts";
import {
  checkSize,
  type ExistsPolicy,
  type FileFacts,
  fileChanged,
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

interface MemoryFile {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
  readonly executable: boolean;
  readonly mode: number | undefined;
  readonly version: number;
}

/** An unfinished file. */
interface MemoryPart {
  readonly facts: FileFacts;
  readonly bytes: Uint8Array;
  readonly present: Set<number>;
  taken: boolean;
}

/** A tree in memory, for tests. */
export class MemoryStorage implements Storage {
  readonly location = "memory";
  readonly capabilities = { watch: true, atomicRename: true, emptyFolders: true };
  readonly #files = new Map<string, MemoryFile>();
  /** With their modes. */
  readonly #folders = new Map<string, number | undefined>();
  readonly #parts = new Map<string, MemoryPart>();
  readonly #made = new ProvisionalFolders();
  readonly #listeners = new Set<(changes: readonly StorageChange[]) => void>();
  #version = 0;

  freeBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  set(path: string, bytes: Uint8Array, modifiedAt = 0, executable = false, mode?: number): void {
    const change = this.#files.has(path) ? "changed" : "added";
    this.#files.set(path, { bytes, modifiedAt, executable, mode, version: ++this.#version });
    this.#addFolders(parentOf(path));
    void this.stat(path).then((entry) => this.#tell({ change, path, entry }));
  }

  delete(path: string): void {
    if (this.#files.delete(path)) this.#tell({ change: "removed", path, wasFolder: false });
  }

  async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stat(path: string): Promise<StorageEntry> {
    const file = this.#files.get(path);
    if (file !== undefined) {
      const { bytes, modifiedAt, executable, mode, version } = file;
      return { path, kind: "file", size: bytes.length, modifiedAt, executable, mode, etag: String(version) };
    }
    if (this.#isFolder(path)) {
      const mode = this.#folders.get(path);
      return { path, kind: "folder", size: 0, modifiedAt: 0, executable: false, mode, etag: "folder" };
    }
    throw new StorageError("NOT_FOUND", `There is no ${quote(path)} in the repository.`);
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if (!this.#isFolder(path)) throw new StorageError("NOT_FOUND", `${quote(path)} is not a folder.`);
    const children = [...this.#files.keys(), ...this.#folders.keys()].filter(
      (key) => key !== "" && parentOf(key) === path,
    );
    for (const child of [...new Set(children)].sort()) {
      const entry = await this.stat(child);
      yield [entry];
      if (entry.kind === "folder" && options.enter(entry.path)) yield* this.list(entry.path, options);
    }
  }

  async open(path: string): Promise<OpenFile> {
    const entry = await this.stat(path);
    const file = this.#files.get(path);
    if (file === undefined) throw new StorageError("NOT_A_FILE", `${quote(path)} is a folder.`);
    const { bytes, version } = file;
    const check = async () => {
      if (this.#files.get(path)?.version !== version) throw fileChanged(path);
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
    const entry = await this.stat(path);
    const file = this.#files.get(path);
    if (file === undefined || file.bytes.length > limit) return undefined;
    return { entry, bytes: new Uint8Array(file.bytes) };
  }

  /** Every name is another here. */
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
        return { outcome: "vacant", path: tried, resume: { etag: part.facts.etag, missing: missingOf(part) } };
      }
      if (exists === "skip") return { outcome: "skipped", path };
      if (exists !== "rename") throw new StorageError("EXISTS", `${quote(path)} exists.`);
    }
  }

  async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    checkSize(path, facts);
    this.#makeFolders(parentOf(path), true);
    const found = this.#parts.get(path);
    if (found?.taken) throw new StorageError("BUSY", `Another transfer of ${quote(path)} is under way.`);
    const goesOn =
      found !== undefined &&
      found.facts.etag === facts.etag &&
      found.facts.size === facts.size &&
      areSameRanges(found.facts.holes, facts.holes);
    const part = goesOn
      ? found
      : { facts, bytes: new Uint8Array(facts.size), present: new Set<number>(), taken: false };
    part.taken = true;
    this.#parts.set(path, part);
    return {
      path,
      facts,
      get missing() {
        return missingOf(part);
      },
      get present() {
        return facts.size - sumOf(missingOf(part));
      },
      write: async (offset, bytes) => {
        const isHole = facts.holes?.some(([from, to]) => from <= offset && offset < to);
        if (isHole || part.present.has(offset)) return false;
        part.bytes.set(bytes, offset);
        part.present.add(offset);
        return true;
      },
      commit: async () => {
        part.taken = false;
        if (!this.#isFolder(parentOf(path))) {
          throw new StorageError("NOT_FOUND", `The folder of ${quote(path)} was renamed or removed while it came.`);
        }
        if (exists !== "overwrite" && exists !== "rename" && (await this.stat(path).catch(() => undefined))) {
          throw new StorageError("EXISTS", `${quote(path)} exists.`);
        }
        if (exists !== "rename" && this.#isFolder(path))
          throw new StorageError("EXISTS", `${quote(path)} is not a file.`);
        this.#parts.delete(path);
        let free = path;
        for (let copy = 1; exists === "rename" && (this.#files.has(free) || this.#isFolder(free)); copy++)
          free = copyPath(path, copy);
        this.#put(free, part.bytes, facts);
        this.#made.claim(parentOf(path));
        return free;
      },
      keep: async () => {
        part.taken = false;
        this.#made.claim(parentOf(path));
      },
      discard: async () => {
        this.#parts.delete(path);
        this.#made.undo(path, (folder) => !this.#hasBelow(folder) && this.#folders.delete(folder));
      },
    };
  }

  async store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    const content = new Uint8Array(bytes);
    await this.makeFolder(parentOf(path));
    let free = path;
    for (let copy = 1; exists === "rename" && (this.#files.has(free) || this.#isFolder(free)); copy++)
      free = copyPath(path, copy);
    if (this.#isFolder(free)) throw new StorageError("EXISTS", `${quote(path)} is not a file.`);
    if (exists !== "overwrite" && this.#files.has(free)) throw new StorageError("EXISTS", `${quote(path)} exists.`);
    this.#put(free, content, facts);
    return free;
  }

  async makeFolder(path: string, mode?: number): Promise<boolean> {
    const isNew = !this.#isFolder(path);
    this.#makeFolders(path, false);
    this.#made.claim(path);
    if (isNew) this.#folders.set(path, mode);
    return isNew;
  }

  #makeFolders(path: string, isForFile: boolean): void {
    for (let folder = path; folder !== ""; folder = parentOf(folder)) {
      if (this.#files.has(folder)) throw new StorageError("EXISTS", `${quote(folder)} is not a folder.`);
      if (isForFile && !this.#isFolder(folder)) this.#made.add(folder);
    }
    this.#addFolders(path);
  }

  #hasBelow(folder: string): boolean {
    return [...this.#files.keys(), ...this.#folders.keys(), ...this.#parts.keys()].some((key) =>
      key.startsWith(`${folder}/`),
    );
  }

  async finishFolder(path: string, mode: number): Promise<void> {
    this.#folders.set(path, mode);
  }

  async remove(path: string, options: RemoveOptions): Promise<void> {
    if (path === "") throw new StorageError("NOT_ALLOWED", "The repository itself can't be removed.");
    const { kind } = await this.stat(path);
    const below = [...this.#files.keys(), ...this.#folders.keys()].filter((key) => key.startsWith(`${path}/`));
    if (kind === "folder" && below.length > 0 && !options.recursive) {
      throw new StorageError("NOT_EMPTY", `The folder ${quote(path)} is not empty.`);
    }
    for (const key of [path, ...below]) {
      this.#files.delete(key);
      this.#folders.delete(key);
    }
    this.#tell({ change: "removed", path, wasFolder: kind === "folder" });
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    const { kind } = await this.stat(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) throw new StorageError("BAD_PATH", `${quote(from)} can't be moved into itself.`);
    const there = await this.stat(to).catch(() => undefined);
    const replaces = options.overwrite && kind === "file" && there?.kind === "file";
    if (there !== undefined && !replaces) throw new StorageError("EXISTS", `${quote(to)} exists.`);
    await this.makeFolder(parentOf(to));
    const moved = (key: string) => to + key.slice(from.length);
    const isMoved = (key: string) => key === from || key.startsWith(`${from}/`);
    for (const [key, file] of [...this.#files]) {
      if (!isMoved(key)) continue;
      this.#files.delete(key);
      this.#files.set(moved(key), { ...file, version: ++this.#version });
    }
    for (const [key, mode] of [...this.#folders]) {
      if (!isMoved(key)) continue;
      this.#folders.delete(key);
      this.#folders.set(moved(key), mode);
    }
    this.#tell({ change: "removed", path: from, wasFolder: kind === "folder" });
    this.#tell({ change: replaces ? "changed" : "added", path: to, entry: await this.stat(to) });
  }

  async *unfinished(): AsyncGenerator<Unfinished, void> {
    for (const [path, { facts, bytes }] of this.#parts) {
      yield { path: `${path}.part`, size: bytes.length, modifiedAt: facts.modifiedAt };
    }
  }

  async removeUnfinished(path: string): Promise<boolean> {
    const name = path.slice(0, -".part".length);
    return !this.#parts.get(name)?.taken && this.#parts.delete(name);
  }

  /** What is replaced keeps its rights. */
  #put(path: string, bytes: Uint8Array, { modifiedAt, executable, mode }: FileFacts): void {
    const there = this.#files.get(path);
    this.set(path, bytes, modifiedAt, there?.executable ?? executable, there === undefined ? mode : there.mode);
  }

  #tell(change: StorageChange): void {
    for (const listener of this.#listeners) listener([change]);
  }

  #isFolder(path: string): boolean {
    return path === "" || this.#folders.has(path);
  }

  #addFolders(path: string): void {
    for (let folder = path; folder !== "" && !this.#folders.has(folder); folder = parentOf(folder)) {
      this.#folders.set(folder, undefined);
    }
  }
}

function copyPath(path: string, copy: number): string {
  const name = baseName(path);
  return path.slice(0, path.length - name.length) + copyName(name, copy);
}

function missingOf({ facts, present }: MemoryPart): Range[] {
  const ranges: Range[] = [];
  for (let from = 0; from < facts.size; from += BLOCK_BYTES) {
    if (!present.has(from)) ranges.push([from, Math.min(facts.size, from + BLOCK_BYTES)]);
  }
  return [...withoutHoles(ranges, facts.holes ?? [])];
}
