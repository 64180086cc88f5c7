import type { ExistsPolicy, FileFacts } from "../storage/storage.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Naming } from "./naming.ts";

/** What becomes of complete files. */
export interface PutStoresPort {
  /** The file is no longer under way; it is stored now, perhaps for a while. */
  onBegin(id: number): void;
  onStored(id: number, path: string, size: number): void;
  onFailed(id: number, thrown: unknown): Promise<void>;
}

/** A complete file, and where it goes. */
export interface Arrived {
  readonly id: number;
  readonly path: string;
  readonly exists: ExistsPolicy;
  readonly facts: FileFacts;
}

/** Stores the complete files of a `put` under their names, many at once. */
export class PutStores {
  readonly #commits: CommitQueue;
  readonly #naming: Naming;
  readonly #port: PutStoresPort;

  constructor(commits: CommitQueue, naming: Naming, port: PutStoresPort) {
    this.#commits = commits;
    this.#naming = naming;
    this.#port = port;
  }

  /** @returns a promise that settles when the next chunk may come; undefined: at once */
  give(file: Arrived, store: () => string | Promise<string>): Promise<void> | undefined {
    const { id, path, exists } = file;
    return this.#naming.give(
      path,
      exists,
      () => this.#commit(file, store),
      (taken) => this.#port.onFailed(id, taken),
    );
  }

  #commit(file: Arrived, store: () => string | Promise<string>): Promise<void> | undefined {
    const { id, facts } = file;
    this.#port.onBegin(id);
    let stored: string | Promise<string>;
    try {
      stored = store();
    } catch (thrown) {
      const freed = this.#commits.freeing(thrown);
      return freed?.then(() => this.#commit(file, store)) ?? this.#port.onFailed(id, thrown);
    }
    if (typeof stored === "string") {
      this.#port.onStored(id, stored, facts.size);
      return undefined;
    }
    return this.#commits.add(
      stored.then(
        (path) => this.#port.onStored(id, path, facts.size),
        (thrown) => this.#port.onFailed(id, thrown),
      ),
    );
  }
}
