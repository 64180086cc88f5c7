import type { ExistsPolicy, FileFacts, PartFile, RemoveOptions, Storage } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/**
 * Changes of one path, one after the other: between a look at what is there, by which the conditions of a request are
 * judged, and the change itself, no other changes it.
 */
export class PathTurns {
  /** By path, the last that has come. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether a change of `path` is under way. */
  isTaken(path: string): boolean {
    return this.#last.has(path);
  }

  /** Carry out `change` when those before it have ended. @throws what `change` throws */
  async run<T>(path: string, change: () => Promise<T>): Promise<T> {
    const before = this.#last.get(path);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(path, promise);
    await before;
    try {
      return await change();
    } finally {
      resolve();
      this.#forget(path, promise);
    }
  }

  /** As run(), of two paths at once. */
  runBoth<T>(one: string, other: string, change: () => Promise<T>): Promise<T> {
    if (one === other) return this.run(one, change);
    // All callers use the same order, so that no two wait for each other.
    const [first, second] = one < other ? [one, other] : [other, one];
    return this.run(first, () => this.run(second, change));
  }

  /** `change` of `path`, which nobody has taken, has begun. */
  hold(path: string, change: Promise<unknown>): void {
    const end = () => this.#forget(path, settled);
    const settled: Promise<void> = change.then(end, end);
    this.#last.set(path, settled);
  }

  #forget(path: string, change: Promise<unknown>): void {
    if (this.#last.get(path) === change) this.#last.delete(path);
  }
}

/** A storage whose changes take turns at each path with those who look before they change: requests of HTTP. */
export class OrderedStorage extends WrappedStorage {
  readonly #turns: PathTurns;

  constructor(inner: Storage, turns: PathTurns) {
    super(inner);
    this.#turns = turns;
  }

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await this.inner.receive(path, facts, exists);
    const commit = part.commit.bind(part);
    part.commit = () => this.#turns.run(path, commit);
    return part;
  }

  override store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    if (this.#turns.isTaken(path)) {
      const copy = new Uint8Array(bytes);
      return this.#turns.run(path, async () => this.inner.store(path, facts, exists, copy));
    }
    // Small files come by the thousand: none waits for nobody.
    const stored = this.inner.store(path, facts, exists, bytes);
    if (typeof stored !== "string") this.#turns.hold(path, stored);
    return stored;
  }

  override remove(path: string, options: RemoveOptions): Promise<void> {
    return this.#turns.run(path, () => this.inner.remove(path, options));
  }

  override rename(from: string, to: string, options: { overwrite: boolean }): Promise<void> {
    return this.#turns.runBoth(from, to, () => this.inner.rename(from, to, options));
  }
}
