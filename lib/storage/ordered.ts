import { joinPath } from "../path.ts";
import type { ExistsPolicy, FileFacts, PartFile, RemoveOptions, Storage } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/**
 * Runs the changes of one path one after the other: between the check of the present state against a request's
 * conditions and the change itself, no other change may happen.
 */
export class PathTurns {
  /** The last change of each path of the whole tree. */
  readonly #last: Map<string, Promise<unknown>>;
  /** The folder that the paths are in. */
  readonly #folder: string;

  constructor(above?: PathTurns, folder = "") {
    this.#last = above === undefined ? new Map() : above.#last;
    this.#folder = above === undefined ? folder : joinPath(above.#folder, folder);
  }

  /** The same turns, by paths in `folder`. */
  within(folder: string): PathTurns {
    return new PathTurns(this, folder);
  }

  /** Whether a change of `path` is under way. */
  isTaken(path: string): boolean {
    return this.#last.has(this.#whole(path));
  }

  /** Run `change` after those before it have ended. @throws what `change` throws */
  async run<T>(path: string, change: () => Promise<T>): Promise<T> {
    const whole = this.#whole(path);
    const before = this.#last.get(whole);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(whole, promise);
    await before;
    try {
      return await change();
    } finally {
      resolve();
      this.#forget(whole, promise);
    }
  }

  /** As run(), for two paths at once. */
  runBoth<T>(one: string, other: string, change: () => Promise<T>): Promise<T> {
    if (one === other) return this.run(one, change);
    // All callers use the same order, so that no two wait for each other.
    const [first, second] = one < other ? [one, other] : [other, one];
    return this.run(first, () => this.run(second, change));
  }

  /** Note that `change` of the free `path` has begun. */
  hold(path: string, change: Promise<unknown>): void {
    const whole = this.#whole(path);
    const end = () => this.#forget(whole, settled);
    const settled: Promise<void> = change.then(end, end);
    this.#last.set(whole, settled);
  }

  #whole(path: string): string {
    return joinPath(this.#folder, path);
  }

  #forget(whole: string, change: Promise<unknown>): void {
    if (this.#last.get(whole) === change) this.#last.delete(whole);
  }
}

/** A storage whose changes take turns on each path with HTTP requests, which check before they change. */
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
    // Small files come by the thousand: none should wait without need.
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
