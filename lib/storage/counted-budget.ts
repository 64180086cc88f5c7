import { Budget, type BudgetLimits } from "./budget.ts";
import type { Storage } from "./storage.ts";

/** How often all files are counted again, since other programs add and remove files, too. */
const RECOUNT_MS = 60_000;

/** The budget of a tree, for all storages that store into it. Its files are counted for the quota. */
export class CountedBudget {
  readonly #tree: Storage;
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
  constructor(tree: Storage, limits: BudgetLimits, now: () => number) {
    this.#tree = tree;
    this.#budget = new Budget(limits, () => tree.freeBytes());
    this.#now = now;
  }

  get hasQuota(): boolean {
    return this.#budget.hasQuota;
  }

  /** As Budget.freeBytes, by the last count. */
  get freeBytes(): number {
    return this.#budget.freeBytes;
  }

  /** Bytes that the last count has found, and those that have come since. */
  get used(): number {
    return this.#budget.used;
  }

  /** Something was, or will be, removed or replaced. */
  noteShrunk(): void {
    this.#hasShrunk = true;
  }

  /** Do `rename`, which may lead from what is not counted yet to what has been. @throws what it throws */
  async moving(rename: () => Promise<void>): Promise<void> {
    this.#hasMoved = true;
    this.#moving++;
    try {
      await rename();
    } finally {
      this.#moving--;
    }
  }

  /** As Budget.check(). */
  check(bytes: number, path: string): void {
    this.#budget.check(bytes, path);
  }

  /** As Budget.promise(), with a new count where the last one is old, or would refuse it. */
  async promise(bytes: number, path: string, room = bytes): Promise<void> {
    await this.refresh();
    try {
      this.#budget.promise(bytes, path, room);
    } catch (thrown) {
      if (!this.hasQuota || !this.#hasShrunk) throw thrown;
      await this.#count();
      this.#budget.promise(bytes, path, room);
    }
  }

  /** As Budget.keep(). */
  keep(bytes: number, room = bytes): void {
    this.#budget.keep(bytes, room);
  }

  /** As Budget.release(). */
  release(bytes: number, room = bytes): void {
    this.#budget.release(bytes, room);
  }

  /** Count again if the last count is old. @throws StorageError as Storage.list() */
  async refresh(): Promise<void> {
    const isOld = this.#countedAt === undefined || this.#now() - this.#countedAt >= RECOUNT_MS;
    if (this.hasQuota && isOld) await this.#count();
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
    for await (const { size } of this.#tree.unfinished()) used += size;
    for await (const batch of this.#tree.list("", { enter: () => true })) {
      for (const { size } of batch) used += size;
    }
    used += this.#budget.growth - growthBefore;
    this.#budget.used = this.#hasMoved ? Math.max(used, this.#budget.used) : used;
    this.#hasShrunk ||= this.#hasMoved;
    this.#countedAt = this.#now();
  }
}
