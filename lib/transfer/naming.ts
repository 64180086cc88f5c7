import type { StorageError } from "../errors.ts";
import type { ExistsPolicy, Storage } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";
import type { GivenNames } from "./given-names.ts";

/** Prevents one file of a transfer from replacing another whose path is the same name on the disk. */
export class Naming {
  readonly #names: GivenNames;
  readonly #storage: Pick<Storage, "hasOwnName">;
  readonly #settled: () => Promise<void>;
  /** Files with doubtful names get them one after the other. */
  #turn: Promise<void> = Promise.resolve();

  /** `settled` resolves when all files that are being named have their names. */
  constructor(names: GivenNames, storage: Pick<Storage, "hasOwnName">, settled: () => Promise<void>) {
    this.#names = names;
    this.#storage = storage;
    this.#settled = settled;
  }

  /** The file at `path` belongs to the transfer, too. */
  note(path: string): void {
    this.#names.add(path);
  }

  isInQuestion(path: string): boolean {
    return this.#names.isInQuestion(path);
  }

  /** True when the file at `path` came there under another path. @throws StorageError as Storage.stat() */
  isAnothers(path: string): boolean | Promise<boolean> {
    return this.isInQuestion(path) && this.#storage.hasOwnName(path).then((hasOwnName) => !hasOwnName);
  }

  /**
   * Call `commit`, which gives a file the name `path`; or `refuse` if that would replace a file that came under another
   * path.
   *
   * @returns the promise of `commit` or `refuse`; it also rejects with StorageError as Storage.stat()
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
      if (await this.isAnothers(path)) return refuse(storageFault.sameName(path));
      this.#names.add(path);
      await commit();
      return this.#settled();
    });
    this.#turn = given.catch(() => {});
    return given;
  }
}
