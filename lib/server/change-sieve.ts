import type { Change } from "../protocol/methods.ts";
import type { Selection } from "../selection.ts";
import type { StorageChange } from "../storage/storage.ts";
import { Yielder, type YielderClock } from "../yielder.ts";

/** The most changes that may wait to be matched, and the most characters of their paths. */
export const MAX_UNDECIDED = { changes: 10_000, length: 1024 * 1024 } as const;

/** Passes on matching changes, taking turns with other work: there may be many watches, and patterns are costly. */
export class ChangeSieve {
  readonly #selection: Selection;
  readonly #tell: (change: Change, weight: number) => void;
  readonly #yielder: Yielder;
  /** The arrays as they came: all watches share them. */
  #waiting: (readonly StorageChange[])[] = [];
  #count = 0;
  #length = 0;
  #missed = 0;
  #isRunning = false;
  #isClosed = false;

  /** `weight`: the number of changes that the reported one stands for. */
  constructor(selection: Selection, tell: (change: Change, weight: number) => void, clock: YielderClock) {
    this.#selection = selection;
    this.#tell = tell;
    this.#yielder = new Yielder(clock);
  }

  /** Changes that come faster than they can be matched are not reported one by one. */
  take(changes: readonly StorageChange[]): void {
    const length = lengthOf(changes);
    const isTooMuch =
      this.#count + changes.length > MAX_UNDECIDED.changes || this.#length + length > MAX_UNDECIDED.length;
    // The gap must keep its place among the changes: until it is reported, all are missed.
    if (this.#missed > 0 || (this.#count > 0 && isTooMuch)) {
      for (const change of changes) this.#missed += weightOf(change);
      return;
    }
    this.#waiting.push(changes);
    this.#count += changes.length;
    this.#length += length;
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  /** A folder stands for everything below it: it matches if anything below it may match. */
  #wants(change: StorageChange): boolean {
    if (change.change === "missed") return true;
    const { path } = change;
    const isFolder = change.change === "removed" ? change.wasFolder : change.entry.kind === "folder";
    return this.#selection.matches(path) || (isFolder && this.#selection.reaches(path));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await this.#yielder.begin();
    for (let changes = this.#waiting.shift(); changes !== undefined; changes = this.#waiting.shift()) {
      for (const change of changes) {
        if (this.#wants(change)) this.#tell(recordOf(change), weightOf(change));
        if (this.#yielder.isDue) await this.#yielder.pause();
        if (this.#isClosed) return;
      }
      this.#count -= changes.length;
      this.#length -= lengthOf(changes);
    }
    if (this.#missed > 0 && !this.#isClosed) this.#tell({ change: "missed", count: this.#missed }, this.#missed);
    this.#missed = 0;
    this.#isRunning = false;
  }
}

function lengthOf(changes: readonly StorageChange[]): number {
  let length = 0;
  for (const change of changes) length += change.change === "missed" ? 0 : change.path.length;
  return length;
}

function weightOf(change: StorageChange): number {
  return change.change === "missed" ? change.count : 1;
}

function recordOf(told: StorageChange): Change {
  if (told.change === "missed") return told;
  if (told.change === "removed") return { change: "removed", path: told.path };
  const { change, path } = told;
  const { kind, size, modifiedAt } = told.entry;
  return { change, path, kind, size, modifiedAt };
}
