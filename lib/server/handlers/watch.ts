import { Pacer } from "../../pacer.ts";
import { type Change, WatchParams } from "../../protocol/methods.ts";
import type { Clock } from "../../session/clock.ts";
import { checkGlob, isGlob, selectGlob } from "../../storage/glob.ts";
import type { StorageChange } from "../../storage/storage.ts";
import { sendFeed } from "../feed.ts";
import { defineMethod } from "../method.ts";

/** Changes that are kept for a client that reads slowly. */
const MAX_KEPT = 10_000;
/** Changes that may wait until it is decided whether they were asked for. */
const MAX_WAITING = 100_000;

/** What changes in the repository, as it happens, until the caller leaves or the server stops. */
export const watch = defineMethod({
  name: "watch",
  role: "read",
  kind: "lists",
  params: WatchParams,
  async handle({ params, stream, host }) {
    const matches = matcherOf(params.glob);
    await sendFeed<Change>(stream, {
      maxKept: MAX_KEPT,
      ended: host.stopping,
      async subscribe(tell) {
        const sieve = new Sieve(matches, tell, host.clock);
        const unsubscribe = await host.storage.watch((changes) => sieve.take(changes));
        return () => {
          unsubscribe();
          sieve.close();
        };
      },
      dropped: missed,
    });
  },
});

/** A pattern, or a path with all below it. @throws StorageError BAD_PATH, BAD_PARAMS */
function matcherOf(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined) return () => true;
  const checked = checkGlob(glob);
  if (isGlob(checked)) return selectGlob(checked).matches;
  return (path) => path === checked || path.startsWith(`${checked}/`);
}

/** Tells those changes that were asked for, and lets others have their turn while a pattern decides. */
class Sieve {
  readonly #matches: (path: string) => boolean;
  readonly #tell: (change: Change) => void;
  readonly #clock: Clock;
  /** As they were told: all who watch share them. */
  #waiting: (readonly StorageChange[])[] = [];
  #count = 0;
  #missed = 0;
  #isRunning = false;
  #isClosed = false;

  constructor(matches: (path: string) => boolean, tell: (change: Change) => void, clock: Clock) {
    this.#matches = matches;
    this.#tell = tell;
    this.#clock = clock;
  }

  /** What comes faster than it can be decided is not told one by one. */
  take(changes: readonly StorageChange[]): void {
    if (this.#count > 0 && this.#count + changes.length > MAX_WAITING) {
      this.#missed += changes.length;
      return;
    }
    this.#waiting.push(changes);
    this.#count += changes.length;
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const pacer = new Pacer(this.#clock);
    for (let changes = this.#waiting.shift(); changes !== undefined; changes = this.#waiting.shift()) {
      for (const change of changes) {
        if (this.#matches(change.path)) this.#tell(recordOf(change));
        if (pacer.isDue) await pacer.pause();
        if (this.#isClosed) return;
      }
      this.#count -= changes.length;
    }
    if (this.#missed > 0) this.#tell(missed(this.#missed));
    this.#missed = 0;
    this.#isRunning = false;
  }
}

function missed(count: number): Change {
  return { change: "missed", count };
}

function recordOf(told: StorageChange): Change {
  if (told.change === "removed") return { change: "removed", path: told.path };
  const { change, path } = told;
  const { kind, size, modifiedAt } = told.entry;
  return { change, path, kind, size, modifiedAt };
}
