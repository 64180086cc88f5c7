import type { Owner } from "../../storage-faults.ts";
import { storageFault } from "../../storage-faults.ts";
import { readError } from "../disk-error.ts";
import {
  checkSize,
  type ExistsPolicy,
  type FileFacts,
  isSmall,
  type ListOptions,
  type LoadedFile,
  type OpenFile,
  type Placement,
  type StorageEntry,
} from "../storage.ts";
import type { Folders } from "./folders.ts";
import { entryOf, loadSmall } from "./local-file.ts";
import { listFolder } from "./local-list.ts";
import { hasOwnName } from "./names/own-name.ts";
import { openLocal, withLastingEtag } from "./open-file.ts";
import { placementOf } from "./placement.ts";

/** Reads a tree, and changes nothing. Methods as in Storage. */
export class TreeReader {
  readonly #folders: Folders;
  readonly #owner: Owner;

  constructor(folders: Folders, owner: Owner) {
    this.#folders = folders;
    this.#owner = owner;
  }

  async stat(path: string): Promise<StorageEntry> {
    try {
      const stats = this.#folders.look(path);
      const entry = entryOf(path, stats);
      return stats.isFile() && !isSmall(entry) ? withLastingEtag(this.#folders, entry, this.#owner) : entry;
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }

  async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    if ((await this.stat(path)).kind !== "folder") throw storageFault.notListed(path);
    try {
      yield* listFolder(this.#folders, path, options);
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }

  async open(path: string): Promise<OpenFile> {
    try {
      return openLocal(this.#folders, path, this.#owner);
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }

  load(path: string, limit: number): LoadedFile | undefined {
    try {
      const held = this.#folders.holder(path);
      try {
        return loadSmall(path, held, limit, (opened) => this.#folders.guard.requirePublic(path, opened, held));
      } finally {
        held.folder.release();
      }
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }

  async place(
    path: string,
    facts: Pick<FileFacts, "size" | "modifiedAt">,
    exists: ExistsPolicy,
    isAnothers = false,
  ): Promise<Placement> {
    try {
      const placement = placementOf(this.#folders, path, facts, exists, isAnothers);
      if (placement.outcome === "vacant") checkSize(path, facts);
      return placement;
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }

  async hasOwnName(path: string): Promise<boolean> {
    try {
      return hasOwnName(this.#folders, path);
    } catch (cause) {
      throw readError(cause, path, this.#owner);
    }
  }
}
