import { StorageError } from "../errors.ts";
import { quote } from "../path.ts";
import type { ListOptions, OpenFile, Storage, StorageEntry } from "./storage.ts";

/** A repository in memory, for tests: a map from path to content, with the folders implied. */
export class MemoryStorage implements Storage {
  readonly location = "memory";
  readonly #files = new Map<string, { bytes: Uint8Array; modifiedAt: number; version: number }>();
  #version = 0;

  set(path: string, bytes: Uint8Array, modifiedAt = 0): void {
    this.#files.set(path, { bytes, modifiedAt, version: ++this.#version });
  }

  delete(path: string): void {
    this.#files.delete(path);
  }

  async stat(path: string): Promise<StorageEntry> {
    const file = this.#files.get(path);
    if (file !== undefined) {
      const { bytes, modifiedAt, version } = file;
      return { path, kind: "file", size: bytes.length, modifiedAt, etag: String(version) };
    }
    if (this.#isFolder(path)) return folderEntry(path);
    throw new StorageError("NOT_FOUND", `There is no ${quote(path)} in the repository.`);
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if (!this.#isFolder(path)) throw new StorageError("NOT_FOUND", `${quote(path)} is not a folder.`);
    const prefix = path === "" ? "" : `${path}/`;
    const names = new Set<string>();
    for (const key of this.#files.keys()) {
      if (key.startsWith(prefix)) names.add(key.slice(prefix.length).split("/", 1)[0] as string);
    }
    for (const name of [...names].sort()) {
      const entry = await this.stat(prefix + name);
      yield [entry];
      if (entry.kind === "folder" && options.enter(entry.path)) yield* this.list(entry.path, options);
    }
  }

  async open(path: string): Promise<OpenFile> {
    const entry = await this.stat(path);
    const file = this.#files.get(path);
    if (file === undefined) throw new StorageError("NOT_A_FILE", `${quote(path)} is a folder.`);
    const { bytes } = file;
    return {
      entry,
      read: async (buffer, position) => {
        const piece = bytes.subarray(position, position + buffer.length);
        buffer.set(piece);
        return piece.length;
      },
      currentEtag: async () => String(this.#files.get(path)?.version ?? "gone"),
      close: async () => {},
    };
  }

  #isFolder(path: string): boolean {
    if (path === "") return true;
    for (const key of this.#files.keys()) if (key.startsWith(`${path}/`)) return true;
    return false;
  }
}

function folderEntry(path: string): StorageEntry {
  return { path, kind: "folder", size: 0, modifiedAt: 0, etag: "folder" };
}
