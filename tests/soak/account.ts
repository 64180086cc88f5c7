/** What a path may hold: the SHA-256 of a file, or nothing. */
export type State = string;
export const ABSENT: State = "absent";

/** A file that gets another place. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly state: State;
}

/**
 * What should be at each path, by what was acknowledged. An operation whose answer was lost leaves a doubt: it happened
 * or it did not, and one look at the disk, when all is at rest, tells which.
 */
export class Account {
  readonly #states = new Map<string, Set<State>>();
  /** Moves whose answer was lost: all of one list happened, or none. */
  #moves: (Move & { before: ReadonlySet<State> })[][] = [];

  /** Paths that may hold a file. */
  get paths(): string[] {
    return [...this.#states]
      .filter(([, states]) => [...states].some((state) => state !== ABSENT))
      .map(([path]) => path);
  }

  /** Paths that hold a file for certain, with its SHA-256. */
  get certain(): [path: string, state: State][] {
    return [...this.#states].flatMap(([path, states]): [string, State][] => {
      const [only] = states;
      return states.size === 1 && only !== undefined && only !== ABSENT ? [[path, only]] : [];
    });
  }

  statesOf(path: string): ReadonlySet<State> {
    return this.#states.get(path) ?? new Set([ABSENT]);
  }

  mayBe(path: string, state: State): boolean {
    return this.statesOf(path).has(state);
  }

  isCertainly(path: string, state: State): boolean {
    return this.statesOf(path).size === 1 && this.mayBe(path, state);
  }

  isInDoubt(path: string): boolean {
    return this.statesOf(path).size > 1;
  }

  /** Acknowledged: that is it. */
  set(path: string, state: State): void {
    if (state === ABSENT) this.#states.delete(path);
    else this.#states.set(path, new Set([state]));
  }

  /** It may have become `state`. */
  doubt(path: string, state: State): void {
    this.#states.set(path, new Set([...this.statesOf(path), state]));
  }

  /** Those may all have moved. */
  doubtMove(moves: readonly Move[]): void {
    this.#moves.push(moves.map((move) => ({ ...move, before: this.statesOf(move.to) })));
    for (const { from, to, state } of moves) {
      this.doubt(from, ABSENT);
      this.doubt(to, state);
    }
  }

  /** What of `observed` can't be; paths that `covers` leaves out are not looked at. */
  faults(observed: ReadonlyMap<string, State>, covers: (path: string) => boolean = () => true): string[] {
    const paths = new Set([...this.#states.keys(), ...observed.keys()]);
    return [...paths].filter(covers).flatMap((path) => {
      const found = observed.get(path) ?? ABSENT;
      if (this.mayBe(path, found)) return [];
      return [`${path} is ${short(found)} and should be ${[...this.statesOf(path)].map(short).join(" or ")}`];
    });
  }

  /** All is at rest: what is there is what it is from now on. @returns moves that happened by half */
  settle(observed: ReadonlyMap<string, State>): string[] {
    const halves = this.#moves.flatMap((moves) => {
      const moved = moves.filter(({ from, to, state }) => !observed.has(from) && observed.get(to) === state);
      const kept = moves.filter(
        ({ from, to, state, before }) => observed.get(from) === state && before.has(observed.get(to) ?? ABSENT),
      );
      const isWhole = moved.length === moves.length || kept.length === moves.length;
      return isWhole ? [] : [`a move by half: ${moves.map(({ from, to }) => `${from} → ${to}`).join(", ")}`];
    });
    this.#moves = [];
    for (const path of [...this.#states.keys()]) this.set(path, observed.get(path) ?? ABSENT);
    return halves;
  }
}

function short(state: State): string {
  return state === ABSENT ? state : state.slice(0, 12);
}
