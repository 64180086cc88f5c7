/** The memory of a holder, as the budget counts it. */
export interface Kept {
  readonly bytes: number;
  /** True while work runs for it, whether its peer moves or not. */
  readonly isAtWork: (() => boolean) | undefined;
}

/** A transfer or other work that holds a reservation, and can be made to give it back. */
export interface Holder {
  /** Bytes that have moved for it so far. */
  readonly moved: number;
  /** True while it must wait for its peer to read or send more. */
  readonly isWaiting: boolean;
  /** True for work that can be resumed later, where it stopped. */
  readonly isResumable: boolean;
  /** Stop, and give the memory back. */
  yield(): void;
  /** It was asked to stop, but its memory can't be freed while its peer is connected: end that connection. */
  end(): void;
}

interface Held {
  readonly holder: Holder;
  readonly since: number;
  moved: number;
  /** When `moved` was last seen to have grown. */
  movedAt: number;
  askedAt: number | undefined;
  isEnded: boolean;
}

/** A holder whose peer moves nothing for this time gives way to waiting ones. */
export const HOLDER_STALLED_MS = 5_000;
/** How long a moving transfer may continue while others wait. */
const TURN_MS = 60_000;
/** How long a holder may take to give its reservation back. */
const ASKED_MS = 3_000;

/** The holders of a budget's memory, and which of them give way when others wait for it. */
export class Holders {
  readonly #held = new Map<Kept, Held>();

  add(kept: Kept, holder: Holder, now: number): void {
    const { moved } = holder;
    this.#held.set(kept, { holder, since: now, moved, movedAt: now, askedAt: undefined, isEnded: false });
  }

  remove(kept: Kept): void {
    this.#held.delete(kept);
  }

  /** Others begin to wait: from now on, holders must make progress. */
  begin(now: number): void {
    for (const held of this.#held.values()) {
      held.moved = held.holder.moved;
      held.movedAt = now;
    }
  }

  /** Others wait for `wanted` bytes. Call every second or so. */
  makeRoom(wanted: number, now: number): void {
    let coming = 0;
    const overdue: [Kept, Held][] = [];
    for (const [kept, held] of this.#held) {
      const { holder, askedAt } = held;
      if (askedAt !== undefined) {
        coming += kept.bytes;
        if (!held.isEnded && now - askedAt >= ASKED_MS) {
          held.isEnded = true;
          holder.end();
        }
        continue;
      }
      const { moved } = holder;
      if (moved !== held.moved || !holder.isWaiting || kept.isAtWork?.()) held.movedAt = now;
      held.moved = moved;
      if (isOverdue(held, now)) overdue.push([kept, held]);
    }
    // Holders without progress go first, then those with the longest turn.
    overdue.sort(([, a], [, b]) => Number(isStalled(b, now)) - Number(isStalled(a, now)) || a.since - b.since);
    for (const [kept, held] of overdue) {
      if (coming >= wanted) return;
      coming += kept.bytes;
      held.askedAt = now;
      held.holder.yield();
    }
  }
}

function isStalled({ movedAt }: Held, now: number): boolean {
  return now - movedAt >= HOLDER_STALLED_MS;
}

function isOverdue(held: Held, now: number): boolean {
  return isStalled(held, now) || (held.holder.isResumable && now - held.since >= TURN_MS);
}
