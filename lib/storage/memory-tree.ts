import { parentOf } from "../path.ts";
import { storageFault } from "../storage-faults.ts";
import type { StorageEntry } from "./storage.ts";

export interface MemoryFile {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
  readonly executable: boolean;
  readonly mode: number | undefined;
  /** Differs after each change. */
  readonly version: number;
}

/** Files and folders by their paths. */
export class MemoryTree {
  readonly files = new Map<string, MemoryFile>();
  /** All folders but the root, with their modes. */
  readonly folders = new Map<string, number | undefined>();
  #version = 0;

  /** Also creates the folders above it. */
  setFile(path: string, file: Omit<MemoryFile, "version">): void {
    this.files.set(path, { ...file, version: ++this.#version });
    this.addFolders(parentOf(path));
  }

  isFolder(path: string): boolean {
    return path === "" || this.folders.has(path);
  }

  isTaken(path: string): boolean {
    return this.files.has(path) || this.isFolder(path);
  }

  addFolders(path: string): void {
    for (let folder = path; folder !== "" && !this.folders.has(folder); folder = parentOf(folder)) {
      this.folders.set(folder, undefined);
    }
  }

  /** @throws StorageError NOT_FOUND */
  stat(path: string): StorageEntry {
    const file = this.files.get(path);
    if (file !== undefined) {
      const { bytes, modifiedAt, executable, mode, version } = file;
      return { path, kind: "file", size: bytes.length, modifiedAt, executable, mode, etag: String(version) };
    }
    if (this.isFolder(path)) {
      const mode = this.folders.get(path);
      return { path, kind: "folder", size: 0, modifiedAt: 0, executable: false, mode, etag: "folder" };
    }
    throw storageFault.missing(path);
  }

  /** Paths of the entries directly in a folder, sorted. */
  childrenOf(path: string): string[] {
    return this.#keys()
      .filter((key) => parentOf(key) === path)
      .sort();
  }

  hasBelow(folder: string): boolean {
    return this.#keys().some((key) => key.startsWith(`${folder}/`));
  }

  /** Delete what is at `path`, and everything below it. */
  delete(path: string): void {
    for (const key of this.#keys()) {
      if (!isAtOrBelow(key, path)) continue;
      this.files.delete(key);
      this.folders.delete(key);
    }
  }

  move(from: string, to: string): void {
    const moved = (key: string) => to + key.slice(from.length);
    for (const [key, file] of [...this.files]) {
      if (!isAtOrBelow(key, from)) continue;
      this.files.delete(key);
      this.setFile(moved(key), file);
    }
    for (const [key, mode] of [...this.folders]) {
      if (!isAtOrBelow(key, from)) continue;
      this.folders.delete(key);
      this.folders.set(moved(key), mode);
    }
  }

  #keys(): string[] {
    return [...this.files.keys(), ...this.folders.keys()];
  }
}

function isAtOrBelow(key: string, path: string): boolean {
  return key === path || key.startsWith(`${path}/`);
}
