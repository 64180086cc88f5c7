import type {
  ExistsPolicy,
  FileFacts,
  ListOptions,
  LoadedFile,
  OpenFile,
  PartFile,
  Placement,
  RemoveOptions,
  Storage,
  StorageCapabilities,
  StorageChange,
  StorageEntry,
  Unfinished,
} from "./storage.ts";

/** A storage around another one, which does everything that a subclass does not override. */
export abstract class WrappedStorage implements Storage {
  protected readonly inner: Storage;

  constructor(inner: Storage) {
    this.inner = inner;
  }

  get location(): string {
    return this.inner.location;
  }

  get capabilities(): StorageCapabilities {
    return this.inner.capabilities;
  }

  freeBytes(): number {
    return this.inner.freeBytes();
  }

  stat(path: string): Promise<StorageEntry> {
    return this.inner.stat(path);
  }

  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]> {
    return this.inner.list(path, options);
  }

  open(path: string): Promise<OpenFile> {
    return this.inner.open(path);
  }

  load(path: string, limit: number): LoadedFile | undefined | Promise<LoadedFile | undefined> {
    return this.inner.load(path, limit);
  }

  place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers?: boolean,
  ): Promise<Placement> {
    return this.inner.place(path, facts, exists, isAnothers);
  }

  hasOwnName(path: string): Promise<boolean> {
    return this.inner.hasOwnName(path);
  }

  receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    return this.inner.receive(path, facts, exists);
  }

  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    return this.inner.store(path, facts, exists, bytes);
  }

  makeFolder(path: string, mode?: number): Promise<boolean> {
    return this.inner.makeFolder(path, mode);
  }

  finishFolder(path: string, mode: number): Promise<void> {
    return this.inner.finishFolder(path, mode);
  }

  remove(path: string, options: RemoveOptions): Promise<void> {
    return this.inner.remove(path, options);
  }

  rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    return this.inner.rename(from, to, options);
  }

  unfinished(): AsyncIterable<Unfinished> {
    return this.inner.unfinished();
  }

  removeUnfinished(path: string): Promise<boolean> {
    return this.inner.removeUnfinished(path);
  }

  watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    return this.inner.watch(listener);
  }
}
