import { ABSENT, type State } from "./account.ts";

/** One `put --overwrite` of a name that everybody writes to. */
export interface Offer {
  readonly state: State;
  readonly from: number;
  /** Infinity while it may still happen. */
  to: number;
  isDone: boolean;
}

/**
 * What names may hold that several clients overwrite at once: the content of any offer that no other one, which was
 * begun after its end and acknowledged, has replaced.
 */
export class SharedNames {
  readonly #offers = new Map<string, Offer[]>();

  offer(name: string, state: State): Offer {
    const offer = { state, from: Date.now(), to: Number.POSITIVE_INFINITY, isDone: false };
    this.#offers.set(name, [...(this.#offers.get(name) ?? []), offer]);
    return offer;
  }

  /** What a reader may have found who began at `from`: any offer, or nothing as long as none was done. */
  couldBe(name: string, state: State): boolean {
    const offers = this.#offers.get(name) ?? [];
    if (state === ABSENT) return !offers.some(({ isDone }) => isDone);
    return offers.some((offer) => offer.state === state);
  }

  /** At rest: what is wrong. What is there is what it is from now on. */
  settle(observed: ReadonlyMap<string, State>): string[] {
    const faults: string[] = [];
    for (const name of new Set([...this.#offers.keys(), ...observed.keys()])) {
      const offers = this.#offers.get(name) ?? [];
      const state = observed.get(name) ?? ABSENT;
      const possible = offers.filter((one) => !offers.some(({ isDone, from }) => isDone && from > one.to));
      const isRight = state === ABSENT ? this.couldBe(name, ABSENT) : possible.some((one) => one.state === state);
      if (!isRight) faults.push(`${name} is ${state.slice(0, 12)}, which is none of ${possible.length} possible`);
      this.#offers.set(name, state === ABSENT ? [] : [{ state, from: 0, to: 0, isDone: true }]);
    }
    return faults;
  }
}
