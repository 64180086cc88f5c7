import type { StorageError } from "../errors.ts";
import { type ExistsPolicy, type Storage, sameName } from "../storage/storage.ts";
import type { GivenNames } from "./given-names.ts";

/** Sees to it that no file of a transfer replaces another of it whose path its disk takes for the same name. */
export class Naming {
  readonly #names: GivenNames;
  readonly #storage: Pick<Storage, "hasOwnName">;
  readonly #settled: () => Promise<void>;
  /** Those in question get their names one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** `settled` resolves when all have their names that are about to get them. */
  constructor(names: GivenNames, storage: Pick<Storage, "hasOwnName">, settled: () => Promise<void>) {
    this.#names = names;
    this.#storage = storage;
    this.#settled = settled;
  }

  /** What is at `path` belongs to the transfer, too. */
  note(path: string): void {
    this.#names.add(path);
  }

  isInQuestion(path: string): boolean {
    return this.#names.isInQuestion(path);
  }

  /** Whether what is at `path` now came there under another one. @throws StorageError as Storage.stat() */
  isAnothers(path: string): boolean | Promise<boolean> {
    return this.isInQuestion(path) && this.#storage.hasOwnName(path).then((hasOwnName) => !hasOwnName);
  }

  /**
   * Do `commit`, which gives a file the name `path`; or `refuse` where that would replace one that came under another path.
   *
   * @returns what to wait for, as `commit` does; it rejects as that, and with StorageError as Storage.stat()
   */
  give(
    path: string,
    exists: ExistsPolicy,
    commit: () => Promise<void> | undefined,
    refuse: (error: StorageError) => Promise<void> | undefined,
  ): Promise<void> | undefined {
    if (exists === "rename" || !this.isInQuestion(path)) {
      this.#names.add(path);
      return commit();
    }
    const given = this.#turn.then(async () => {
      await this.#settled();
      if (await this.isAnothers(path)) return refuse(sameName(path));
      this.#names.add(path);
      await commit();
      return this.#settled();
    });
    this.#turn = given.catch(() => {});
    return given;
  }
}
