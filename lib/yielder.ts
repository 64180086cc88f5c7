/** Work without a wait that may keep everybody else from their turn. */
const MAX_RUN_MS = 2;

/** What a Yielder needs of a clock (session/clock.ts). */
export interface YielderClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Resolves when everybody else who waits for the event loop has had a turn. */
  turn(): Promise<void>;
}

/** The runs that wait for a turn by each clock, in the order of arrival. */
const lines = new WeakMap<YielderClock, (() => void)[]>();

/**
 * Lets others have their turn in a long run of work that never waits, such as ten thousand small files. However many runs
 * there are by one clock, one of them goes on in each turn: an answer waits for a single piece of work.
 */
export class Yielder {
  readonly #clock: YielderClock;
  #since: number;

  constructor(clock: YielderClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Wait for a turn to begin in, where many may be about to begin at once. */
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
