import type { Range } from "../block.ts";
import { sumOf } from "../holes.ts";
import { Budget, type BudgetLimits } from "./budget.ts";
import type { ExistsPolicy, FileFacts, PartFile, RemoveOptions, Storage } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/** How often all files are counted again, since other programs add and remove files, too. */
const RECOUNT_MS = 60_000;

/** A storage that keeps to its limits: a file that is too much is refused before its first byte. */
export class BoundedStorage extends WrappedStorage {
  readonly #budget: Budget;
  readonly #now: () => number;
  #countedAt: number | undefined;
  /** Something was removed since the last count. */
  #hasShrunk = false;
  /** Renames that are under way. */
  #moving = 0;
  /** Something was being renamed since the last count began. */
  #hasMoved = false;
  #counting: Promise<void> | undefined;

  /** `now` in milliseconds. */
  constructor(inner: Storage, limits: BudgetLimits, now: () => number) {
    super(inner);
    this.#budget = new Budget(limits, () => inner.freeBytes());
    this.#now = now;
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
      await this.#promise(room + holes, path, room);
    } catch (thrown) {
      await (part.present === holes ? part.discard() : part.keep());
      throw thrown;
    }
    // The part of another source is removed, and what this file replaces is removed at its end.
    const onShrunk = () => {
      this.#hasShrunk = true;
    };
    onShrunk();
    return new BoundedPart(part, this.#budget, holes, onShrunk);
  }

  /** @throws StorageError as Storage.store(), and QUOTA_EXCEEDED, NO_SPACE */
  override store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    if (this.#budget.hasQuota) return this.#storeCounted(path, facts, exists, new Uint8Array(bytes));
    // Small files come by the thousand: avoid needless promises.
    this.#budget.check(facts.size, path);
    return this.inner.store(path, facts, exists, bytes);
  }

  async #storeCounted(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    await this.#promise(facts.size, path);
    let stored = 0;
    try {
      const storedAt = await this.inner.store(path, facts, exists, bytes);
      stored = facts.size;
      this.#hasShrunk ||= exists === "overwrite";
      return storedAt;
    } finally {
      this.#budget.keep(stored);
      this.#budget.release(facts.size - stored);
    }
  }

  override async remove(path: string, options: RemoveOptions): Promise<void> {
    await this.inner.remove(path, options);
    this.#hasShrunk = true;
  }

  override async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    this.#hasMoved = true;
    this.#moving++;
    try {
      await this.inner.rename(from, to, options);
    } finally {
      this.#moving--;
    }
    this.#hasShrunk ||= options.overwrite;
  }

  override removeUnfinished(path: string): Promise<boolean> {
    this.#hasShrunk = true;
    return this.inner.removeUnfinished(path);
  }

  /** @throws StorageError QUOTA_EXCEEDED, NO_SPACE */
  async #promise(bytes: number, path: string, room = bytes): Promise<void> {
    if (this.#budget.hasQuota && this.#isOld) await this.#count();
    try {
      this.#budget.promise(bytes, path, room);
    } catch (thrown) {
      if (!this.#budget.hasQuota || !this.#hasShrunk) throw thrown;
      await this.#count();
      this.#budget.promise(bytes, path, room);
    }
  }

  get #isOld(): boolean {
    return this.#countedAt === undefined || this.#now() - this.#countedAt >= RECOUNT_MS;
  }

  /** Count the files; one walk serves all waiting callers. */
  #count(): Promise<void> {
    this.#counting ??= this.#walk().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  /**
   * What changes meanwhile may be counted twice, but is never missed: what arrives is added, unfinished files are
   * counted before those that they become, and a rename, which may lead from what is not counted yet to what has been,
   * lets the count only rise.
   */
  async #walk(): Promise<void> {
    this.#hasShrunk = false;
    // One may have begun before, and take place in the middle of this.
    this.#hasMoved = this.#moving > 0;
    let used = 0;
    const growthBefore = this.#budget.growth;
    for await (const { size } of this.inner.unfinished()) used += size;
    for await (const batch of this.inner.list("", { enter: () => true })) {
      for (const { size } of batch) used += size;
    }
    used += this.#budget.growth - growthBefore;
    this.#budget.used = this.#hasMoved ? Math.max(used, this.#budget.used) : used;
    this.#hasShrunk ||= this.#hasMoved;
    this.#countedAt = this.#now();
  }
}

/** A file that is being received, and the bytes promised to it. */
class BoundedPart implements PartFile {
  readonly #inner: PartFile;
  readonly #budget: Budget;
  /** Promised bytes that are not written yet. */
  #promised: number;
  /** Promised bytes of holes, which take no room. */
  #holes: number;

  readonly #onShrunk: () => void;

  constructor(inner: PartFile, budget: Budget, holes: number, onShrunk: () => void) {
    this.#holes = holes;
    this.#inner = inner;
    this.#budget = budget;
    this.#onShrunk = onShrunk;
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
    return this.#inner.commit().finally(this.#onShrunk);
  }

  keep(): Promise<void> {
    this.#release();
    return this.#inner.keep();
  }

  discard(): Promise<void> {
    this.#release();
    return this.#inner.discard().finally(this.#onShrunk);
  }

  #release(): void {
    this.#budget.release(this.#promised + this.#holes, this.#promised);
    this.#promised = 0;
    this.#holes = 0;
  }
}
