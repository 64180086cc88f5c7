import type { Clock } from "./clock.ts";
import { Hold, type Intake } from "./intake.ts";
import type { RateLimit } from "./rate-limit.ts";

/** A peer that has sent so much too early that it would take so long is not read from. */
const MAX_DEBT_MS = 2_000;

/** Holds one peer to the rate at which it may send DATA: it is granted credit later, and in the end not read from. */
export class InboundRate {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #intake: Pick<Intake, "hold" | "release" | "isHeld">;
  /** What cancels the timers that run. */
  readonly #timers = new Set<() => void>();

  constructor(limit: RateLimit, clock: Clock, intake: Pick<Intake, "hold" | "release" | "isHeld">) {
    this.#limit = limit;
    this.#clock = clock;
    this.#intake = intake;
  }

  /** DATA counts when it comes. Late credit alone does not hold back a peer that sends it on ever new streams. */
  charge(bytes: number): void {
    this.#limit.spend(bytes);
    const ms = this.#limit.waitMs();
    if (ms <= MAX_DEBT_MS || this.#intake.isHeld(Hold.rate)) return;
    this.#intake.hold(Hold.rate);
    this.#after(ms - MAX_DEBT_MS, () => this.#intake.release(Hold.rate));
  }

  /** Do `grant` when the peer may send again. */
  grant(grant: () => void): void {
    const ms = this.#limit.waitMs();
    if (ms === 0) grant();
    else this.#after(ms, grant);
  }

  /** The link is gone: no timer goes off any more. */
  stop(): void {
    for (const cancel of this.#timers) cancel();
  }

  #after(ms: number, action: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
  }
}
