import type { Range } from "../block.ts";
import { sumOf } from "../holes.ts";
import type { CountedBudget } from "./counted-budget.ts";
import type { ExistsPolicy, FileFacts, PartFile, RemoveOptions, Storage } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/** A storage that keeps to its limits: a file that is too much is refused before its first byte. */
export class BoundedStorage extends WrappedStorage {
  readonly #budget: CountedBudget;

  /** `budget`: of the whole tree that `inner` is, or is a folder of. */
  constructor(inner: Storage, budget: CountedBudget) {
    super(inner);
    this.#budget = budget;
  }

  /** Uses the last count for the quota. */
  override freeBytes(): number {
    return this.#budget.freeBytes;
  }

  /** @throws StorageError as Storage.receive(), and QUOTA_EXCEEDED, NO_SPACE */
  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await this.inner.receive(path, facts, exists);
    const holes = sumOf(facts.holes ?? []);
    const room = facts.size - part.present;
    try {
      // The quota counts sizes, as a list reports them.
      await this.#budget.promise(room + holes, path, room);
    } catch (thrown) {
      await (part.present === holes ? part.discard() : part.keep());
      throw thrown;
    }
    // The part of another source is removed, and what this file replaces is removed at its end.
    this.#budget.noteShrunk();
    return new BoundedPart(part, this.#budget, holes);
  }

  /** @throws StorageError as Storage.store(), and QUOTA_EXCEEDED, NO_SPACE */
  override store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    if (this.#budget.hasQuota) return this.#storeCounted(path, facts, exists, new Uint8Array(bytes));
    // Small files come by the thousand: avoid needless promises.
    this.#budget.check(facts.size, path);
    return this.inner.store(path, facts, exists, bytes);
  }

  async #storeCounted(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    await this.#budget.promise(facts.size, path);
    let stored = 0;
    try {
      const storedAt = await this.inner.store(path, facts, exists, bytes);
      stored = facts.size;
      if (exists === "overwrite") this.#budget.noteShrunk();
      return storedAt;
    } finally {
      this.#budget.keep(stored);
      this.#budget.release(facts.size - stored);
    }
  }

  override async remove(path: string, options: RemoveOptions): Promise<void> {
    await this.inner.remove(path, options);
    this.#budget.noteShrunk();
  }

  override async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    await this.#budget.moving(() => this.inner.rename(from, to, options));
    if (options.overwrite) this.#budget.noteShrunk();
  }

  override removeUnfinished(path: string): Promise<boolean> {
    this.#budget.noteShrunk();
    return this.inner.removeUnfinished(path);
  }
}

/** A file that is being received, and the bytes promised to it. */
class BoundedPart implements PartFile {
  readonly #inner: PartFile;
  readonly #budget: CountedBudget;
  /** Promised bytes that are not written yet. */
  #promised: number;
  /** Promised bytes of holes, which take no room. */
  #holes: number;

  constructor(inner: PartFile, budget: CountedBudget, holes: number) {
    this.#holes = holes;
    this.#inner = inner;
    this.#budget = budget;
    this.#promised = inner.facts.size - inner.present;
  }

  get path(): string {
    return this.#inner.path;
  }

  get facts(): FileFacts {
    return this.#inner.facts;
  }

  get missing(): readonly Range[] {
    return this.#inner.missing;
  }

  get present(): number {
    return this.#inner.present;
  }

  async write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean> {
    const isNew = await this.#inner.write(offset, bytes, digest);
    if (isNew) {
      this.#promised -= bytes.length;
      this.#budget.keep(bytes.length);
    }
    return isNew;
  }

  commit(): Promise<string> {
    this.#budget.keep(this.#holes, 0);
    this.#holes = 0;
    this.#release();
    return this.#inner.commit().finally(() => this.#budget.noteShrunk());
  }

  keep(): Promise<void> {
    this.#release();
    return this.#inner.keep();
  }

  discard(): Promise<void> {
    this.#release();
    return this.#inner.discard().finally(() => this.#budget.noteShrunk());
  }

  #release(): void {
    this.#budget.release(this.#promised + this.#holes, this.#promised);
    this.#promised = 0;
    this.#holes = 0;
  }
}
