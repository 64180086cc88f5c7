import { StorageError } from "../../../lib/errors.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type {
  ExistsPolicy,
  FileFacts,
  ListOptions,
  OpenFile,
  PartFile,
  StorageChange,
  StorageEntry,
} from "../../../lib/storage/storage.ts";

/** As a disk of this size would, it has no room for more. */
const ROOM_BYTES = 16 * 1024 * 1024;

/** A tree in memory that knows who has not given back what it took. */
export class CountedStorage extends MemoryStorage {
  /** Open files, unfinished files in use, listeners, and lists that were begun. */
  readonly held = { files: 0, parts: 0, watches: 0, lists: 0 };

  override async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    this.held.lists++;
    try {
      yield* super.list(path, options);
    } finally {
      this.held.lists--;
    }
  }

  override async open(path: string): Promise<OpenFile> {
    const file = await super.open(path);
    this.held.files++;
    return { ...file, close: () => this.#back("files", file.close()) };
  }

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    if (facts.size > ROOM_BYTES) throw new StorageError("DISK_FULL", "There is no room for it.");
    const part = await super.receive(path, facts, exists);
    this.held.parts++;
    return {
      path: part.path,
      facts: part.facts,
      get missing() {
        return part.missing;
      },
      get present() {
        return part.present;
      },
      write: (offset, bytes, digest) => part.write(offset, bytes, digest),
      commit: () => this.#back("parts", part.commit()),
      keep: () => this.#back("parts", part.keep()),
      discard: () => this.#back("parts", part.discard()),
    };
  }

  override async watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    const end = await super.watch(listener);
    this.held.watches++;
    return () => {
      this.held.watches--;
      end();
    };
  }

  async #back<T>(what: keyof CountedStorage["held"], work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.held[what]--;
    }
  }
}
