import type { Range } from "../block.ts";
import { storageFault } from "../storage-faults.ts";
import type { ExistsPolicy, FileFacts, ListOptions, OpenFile, PartFile, Storage, StorageEntry } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/** Descriptors of a file that is being received: its part, its journal, its folder. */
const PER_PART = 3;
/** So many descriptors are enough for all small files that are being stored at once. */
const MANY = 1_024;

/** A limited number of descriptors. */
export class FileBudget {
  readonly #max: number;
  #used = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether small files that are being stored need not be counted. */
  get isAmple(): boolean {
    return this.#max >= MANY;
  }

  get used(): number {
    return this.#used;
  }

  /** A negative count gives back. @throws StorageError OVERLOADED, and takes nothing, when there are not enough */
  take(count: number): void {
    if (this.#used + count > this.#max) throw storageFault.overloaded();
    this.#used += count;
  }

  give(count: number): void {
    this.#used -= count;
  }
}

/**
 * A storage with a limited number of open descriptors: it refuses further files before it opens them. Files that are
 * opened and closed within a turn are not counted. Small files, which come by the thousand, are counted only if
 * descriptors are few.
 */
export class FewFilesStorage extends WrappedStorage {
  readonly #budget: FileBudget;

  /** `budget`: the most descriptors, or what several storages share. */
  constructor(inner: Storage, budget: number | FileBudget) {
    super(inner);
    this.#budget = typeof budget === "number" ? new FileBudget(budget) : budget;
  }

  /** Descriptors that are counted as open. */
  get used(): number {
    return this.#budget.used;
  }

  /** @throws StorageError as Storage.list(), and OVERLOADED */
  override async *list(path: string, options: ListOptions): AsyncGenerator<StorageEntry[], void> {
    const above = path === "" ? 0 : path.split("/").length;
    let held = 0;
    try {
      // Each folder on the way is open twice: held, and read.
      this.#budget.take(2);
      held = 2;
      for await (const batch of this.inner.list(path, options)) {
        const [{ path: first }] = batch as [StorageEntry];
        const needed = 2 * (first.split("/").length - above);
        this.#budget.take(needed - held);
        held = needed;
        yield batch;
      }
    } finally {
      this.#budget.give(held);
    }
  }

  /** @throws StorageError as Storage.open(), and OVERLOADED */
  override async open(path: string): Promise<OpenFile> {
    this.#budget.take(1);
    try {
      const file = await this.inner.open(path);
      const close = file.close.bind(file);
      let isOpen = true;
      file.close = () => {
        if (isOpen) this.#budget.give(1);
        isOpen = false;
        return close();
      };
      return file;
    } catch (thrown) {
      this.#budget.give(1);
      throw thrown;
    }
  }

  /** @throws StorageError as Storage.store(), and OVERLOADED */
  override store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    if (this.#budget.isAmple) return this.inner.store(path, facts, exists, bytes);
    this.#budget.take(1);
    let stored: string | Promise<string> = "";
    try {
      stored = this.inner.store(path, facts, exists, bytes);
    } finally {
      if (typeof stored === "string") this.#budget.give(1);
    }
    return typeof stored === "string" ? stored : stored.finally(() => this.#budget.give(1));
  }

  /** @throws StorageError as Storage.receive(), and OVERLOADED */
  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    this.#budget.take(PER_PART);
    try {
      return new CountedPart(await this.inner.receive(path, facts, exists), this.#budget);
    } catch (thrown) {
      this.#budget.give(PER_PART);
      throw thrown;
    }
  }
}

/** A file that is being received, and the descriptors that it takes. */
class CountedPart implements PartFile {
  readonly #inner: PartFile;
  readonly #budget: FileBudget;
  #isOpen = true;

  constructor(inner: PartFile, budget: FileBudget) {
    this.#inner = inner;
    this.#budget = budget;
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

  commit(): Promise<string> {
    return this.#inner.commit().finally(() => this.#release());
  }

  keep(): Promise<void> {
    return this.#inner.keep().finally(() => this.#release());
  }

  discard(): Promise<void> {
    return this.#inner.discard().finally(() => this.#release());
  }

  #release(): void {
    if (this.#isOpen) this.#budget.give(PER_PART);
    this.#isOpen = false;
  }
}
