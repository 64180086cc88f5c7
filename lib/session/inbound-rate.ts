import type { Clock } from "./clock.ts";
import { Hold, type Intake } from "./intake.ts";
import type { RateLimit } from "./rate-limit.ts";

/** A peer is not read from while it has sent more than this time allows. */
const MAX_DEBT_MS = 2_000;

/** Holds one peer to its rate of DATA: delays its credit, and in the end stops reading from it. */
export class InboundRate {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #intake: Pick<Intake, "hold" | "release" | "isHeld">;
  /** Functions that cancel the running timers. */
  readonly #timers = new Set<() => void>();

  constructor(limit: RateLimit, clock: Clock, intake: Pick<Intake, "hold" | "release" | "isHeld">) {
    this.#limit = limit;
    this.#clock = clock;
    this.#intake = intake;
  }

  /** Count DATA when it arrives: delayed credit alone does not limit a peer that keeps opening new streams. */
  charge(bytes: number): void {
    this.#limit.spend(bytes);
    const ms = this.#limit.waitMs();
    if (ms <= MAX_DEBT_MS || this.#intake.isHeld(Hold.rate)) return;
    this.#intake.hold(Hold.rate);
    this.#after(ms - MAX_DEBT_MS, () => this.#intake.release(Hold.rate));
  }

  /** Call `grant` when the peer may send again. */
  grant(grant: () => void): void {
    const ms = this.#limit.waitMs();
    if (ms === 0) grant();
    else this.#after(ms, grant);
  }

  /** Stop all timers: the link is gone. */
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
