import type { Range } from "../block.ts";
import { quote } from "../path.ts";
import { Budget, type BudgetLimits } from "./budget.ts";
import type {
  ExistsPolicy,
  FileFacts,
  ListOptions,
  LoadedFile,
  OpenFile,
  PartFile,
  Placement,
  Storage,
  StorageChange,
  StorageEntry,
  Unfinished,
} from "./storage.ts";

/** Files may come and go without this program: so often they are counted anew, when a file would be too much. */
const RECOUNT_MS = 60_000;

/** A storage that takes no more than its limits allow: each file is refused before its first byte. */
export class BoundedStorage implements Storage {
  readonly #inner: Storage;
  readonly #budget: Budget;
  readonly #now: () => number;
  #countedAt: number | undefined;
  /** Something was removed since. */
  #hasShrunk = false;
  #counting: Promise<void> | undefined;

  /** `freeBytes`: what the disk below `inner` has room for now; `now` in milliseconds. */
  constructor(inner: Storage, limits: BudgetLimits, options: { freeBytes(): number; now(): number }) {
    this.#inner = inner;
    this.#budget = new Budget(limits, options.freeBytes);
    this.#now = options.now;
  }

  get location(): string {
    return this.#inner.location;
  }

  stat(path: string): Promise<StorageEntry> {
    return this.#inner.stat(path);
  }

  list(path: string, options: ListOptions): AsyncIterable<StorageEntry[]> {
    return this.#inner.list(path, options);
  }

  open(path: string): Promise<OpenFile> {
    return this.#inner.open(path);
  }

  load(path: string, limit: number): LoadedFile | undefined | Promise<LoadedFile | undefined> {
    return this.#inner.load(path, limit);
  }

  place(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<Placement> {
    return this.#inner.place(path, facts, exists);
  }

  /** @throws StorageError as Storage.receive(), and QUOTA_EXCEEDED, NO_SPACE */
  async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const replaced = await this.#sizeAt(path, exists);
    const part = await this.#inner.receive(path, facts, exists);
    try {
      await this.#promise(facts.size - part.present, path);
    } catch (thrown) {
      await (part.present === 0 ? part.discard() : part.keep());
      throw thrown;
    }
    return new BoundedPart(part, this.#budget, replaced);
  }

  /** @throws StorageError as Storage.store(), and QUOTA_EXCEEDED, NO_SPACE */
  store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    if (this.#budget.hasQuota) return this.#storeCounted(path, facts, exists, bytes);
    // Small files come by the thousand: no promise for each, when none is needed.
    this.#budget.check(facts.size, quote(path));
    return this.#inner.store(path, facts, exists, bytes);
  }

  async #storeCounted(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    const replaced = await this.#sizeAt(path, exists);
    await this.#promise(facts.size, path);
    let growth = 0;
    try {
      const storedAt = await this.#inner.store(path, facts, exists, bytes);
      growth = facts.size - replaced;
      return storedAt;
    } finally {
      this.#budget.settle(facts.size, growth);
    }
  }

  makeFolder(path: string): Promise<boolean> {
    return this.#inner.makeFolder(path);
  }

  async remove(path: string, options: { recursive: boolean }): Promise<void> {
    await this.#inner.remove(path, options);
    this.#hasShrunk = true;
  }

  async rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    await this.#inner.rename(from, to, options);
    this.#hasShrunk ||= options.overwrite;
  }

  unfinished(): AsyncIterable<Unfinished> {
    return this.#inner.unfinished();
  }

  removeUnfinished(path: string): Promise<boolean> {
    this.#hasShrunk = true;
    return this.#inner.removeUnfinished(path);
  }

  watch(listener: (changes: readonly StorageChange[]) => void): Promise<() => void> {
    return this.#inner.watch(listener);
  }

  /** @throws StorageError QUOTA_EXCEEDED, NO_SPACE */
  async #promise(bytes: number, path: string): Promise<void> {
    if (this.#budget.hasQuota && this.#countedAt === undefined) await this.#count();
    try {
      this.#budget.promise(bytes, quote(path));
    } catch (thrown) {
      const isOld = this.#hasShrunk || this.#now() - (this.#countedAt ?? 0) >= RECOUNT_MS;
      if (!this.#budget.hasQuota || !isOld) throw thrown;
      await this.#count();
      this.#budget.promise(bytes, quote(path));
    }
  }

  /** Count what is there; one walk serves all who wait for it. */
  #count(): Promise<void> {
    this.#counting ??= this.#walk().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  async #walk(): Promise<void> {
    this.#hasShrunk = false;
    let used = 0;
    const growthBefore = this.#budget.growth;
    for await (const batch of this.#inner.list("", { enter: () => true, skipped: { count: 0 } })) {
      for (const { size } of batch) used += size;
    }
    for await (const { size } of this.#inner.unfinished()) used += size;
    // What came while it was counted is counted twice rather than not at all.
    this.#budget.correct(used + this.#budget.growth - growthBefore);
    this.#countedAt = this.#now();
  }

  /** Bytes that a file will make room for. */
  async #sizeAt(path: string, exists: ExistsPolicy): Promise<number> {
    if (exists !== "overwrite" || !this.#budget.hasQuota) return 0;
    try {
      return (await this.#inner.stat(path)).size;
    } catch {
      return 0; // nothing is there, or what place() will tell
    }
  }
}

/** A file that is being received, with what was promised to it. */
class BoundedPart implements PartFile {
  readonly #inner: PartFile;
  readonly #budget: Budget;
  readonly #replaced: number;
  /** Bytes of it that were there, and are counted, already. */
  readonly #presentBefore: number;

  constructor(inner: PartFile, budget: Budget, replaced: number) {
    this.#inner = inner;
    this.#budget = budget;
    this.#replaced = replaced;
    this.#presentBefore = inner.present;
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

  write(offset: number, bytes: Uint8Array, digest: bigint): Promise<boolean> {
    return this.#inner.write(offset, bytes, digest);
  }

  async commit(): Promise<string> {
    let replaced = 0;
    try {
      const path = await this.#inner.commit();
      replaced = this.#replaced;
      return path;
    } finally {
      this.#settle(this.#inner.present - this.#presentBefore - replaced);
    }
  }

  async keep(): Promise<void> {
    this.#settle(this.#inner.present - this.#presentBefore);
    await this.#inner.keep();
  }

  async discard(): Promise<void> {
    this.#settle(-this.#presentBefore);
    await this.#inner.discard();
  }

  #settle(growth: number): void {
    this.#budget.settle(this.facts.size - this.#presentBefore, growth);
  }
}
