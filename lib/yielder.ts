/** How long work may run without letting others have a turn. */
const MAX_RUN_MS = 2;

/** What a Yielder needs of a clock (session/clock.ts). */
export interface YielderClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Resolves when everything else that waits for the event loop has had a turn. */
  turn(): Promise<void>;
}

/** For each clock, the runs that wait for a turn, in the order of arrival. */
const lines = new WeakMap<YielderClock, (() => void)[]>();

/**
 * Lets others have their turn during a long run of work that never waits, such as ten thousand small files. However
 * many runs share a clock, each turn continues only one of them: an answer waits for a single piece of work.
 */
export class Yielder {
  readonly #clock: YielderClock;
  #since: number;

  constructor(clock: YielderClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Wait for a turn in which to begin, when many may begin at once. */
  async begin(): Promise<void> {
    await nextTurn(this.#clock);
    this.#since = this.#clock.now();
  }

  /** Whether pause() would wait. */
  get isDue(): boolean {
    return this.#clock.now() - this.#since >= MAX_RUN_MS;
  }

  /** Call between two pieces of work. */
  async pause(): Promise<void> {
    if (this.isDue) await this.begin();
  }
}

function nextTurn(clock: YielderClock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const line = lines.get(clock);
  if (line !== undefined) {
    line.push(resolve);
  } else {
    lines.set(clock, [resolve]);
    void callOneByOne(clock);
  }
  return promise;
}

async function callOneByOne(clock: YielderClock): Promise<void> {
  const line = lines.get(clock) ?? [];
  while (line.length > 0) {
    await clock.turn();
    line.shift()?.();
  }
  lines.delete(clock);
}
