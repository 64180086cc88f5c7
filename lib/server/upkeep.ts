import type { Clock } from "../session/clock.ts";
import type { Storage } from "../storage/storage.ts";
import { Yielder } from "../yielder.ts";
import type { Access } from "./access/access.ts";
import { cleanUnfinished } from "./cleaning.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Ledger } from "./ledger.ts";
import type { Members } from "./members.ts";

/** How often the counters of live sessions go into the ledger. */
const CHECKPOINT_MS = 30_000;

/** Rows that are written to the ledger at once; they take a millisecond or two. */
const LEDGER_ROWS = 250;

/** How often to look for stale unfinished files, after the search at the start. */
const CLEANING_MS = 24 * 3_600_000;

/** How often to look for kept messages that are too old. */
const SWEEP_MS = 3_600_000;

/** The longest time between two checks for idle sessions. */
const IDLE_CHECK_MS = 10_000;

/** The longest timer for an expiry: clocks can be set, and timers have a maximum. */
const MAX_EXPIRY_MS = 3_600_000;

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "checkpoint" | "closeCrashed">;
  readonly storage: Pick<Storage, "unfinished" | "removeUnfinished">;
  readonly members: Pick<Members, "clients">;
  readonly events: Pick<EventFeed, "emit">;
  readonly access: Pick<Access, "nextExpiry">;
  /** Whether this server can have unfinished files. */
  readonly writable: boolean;
  /** How long a session may have no stream; undefined: for ever. */
  readonly idleMs: number | undefined;
  /** Write to the ledger; a failure is only reported as an event. */
  record(write: () => void): void;
  /** End the sessions whose token was revoked or has expired. */
  expel(): void;
  /** Remove kept messages that are too old; undefined: none are kept. */
  readonly sweep: (() => void) | undefined;
}

/**
 * A server's periodic work: save counters in the ledger, remove stale unfinished files, remove old messages, end idle
 * sessions and those of expired tokens.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #isStopped = false;
  #cancelCheckpoint: () => void = () => {};
  #cancelCleaning: () => void = () => {};
  #cancelIdle: () => void = () => {};
  #cancelSweep: () => void = () => {};
  #cancelExpiry: () => void = () => {};

  constructor(options: UpkeepOptions) {
    this.#options = options;
    void this.#closeCrashed();
    this.#scheduleCheckpoint();
    this.#scheduleCleaning(0);
    this.#scheduleIdle();
    this.#scheduleSweep();
    this.watchExpiry();
  }

  /**
   * End sessions whose token has expired, now and at each later expiry. Call it after issuing a token, which may be the
   * next to expire.
   */
  watchExpiry(): void {
    const { clock, access, expel } = this.#options;
    this.#cancelExpiry();
    // Check now, too: if the clock was set forward, a token without a timer below may have expired.
    expel();
    const next = access.nextExpiry;
    if (next === undefined) return;
    const ms = Math.min(next - clock.wallTime(), MAX_EXPIRY_MS);
    this.#cancelExpiry = clock.after(ms, () => this.watchExpiry());
  }

  /** Write nothing more to the ledger. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelCheckpoint();
    this.#cancelCleaning();
    this.#cancelIdle();
    this.#cancelSweep();
    this.#cancelExpiry();
  }

  #scheduleCheckpoint(): void {
    this.#cancelCheckpoint = this.#options.clock.after(CHECKPOINT_MS, () => {
      void this.#checkpoint().then(() => {
        if (!this.#isStopped) this.#scheduleCheckpoint();
      });
    });
  }

  /** Save the counters of all live sessions, a batch at a time. */
  async #checkpoint(): Promise<void> {
    const { clock, ledger, members, record } = this.#options;
    const yielder = new Yielder(clock);
    const { clients } = members;
    for (let start = 0; start < clients.length && !this.#isStopped; start += LEDGER_ROWS) {
      // Sessions that have ended meanwhile keep their last row.
      const live = clients.slice(start, start + LEDGER_ROWS).map(({ id, counters }) => ({ id, ...counters }));
      record(() => ledger.checkpoint(live, clock.wallTime()));
      if (yielder.isDue) await yielder.pause();
    }
  }

  /** Close the sessions of a crashed server, a batch at a time. */
  async #closeCrashed(): Promise<void> {
    const { clock, ledger, record } = this.#options;
    const yielder = new Yielder(clock);
    let isDone = false;
    while (!isDone && !this.#isStopped) {
      isDone = true;
      record(() => {
        isDone = !ledger.closeCrashed(LEDGER_ROWS);
      });
      if (yielder.isDue) await yielder.pause();
    }
  }

  #scheduleIdle(): void {
    const { clock, idleMs } = this.#options;
    if (idleMs === undefined) return;
    this.#cancelIdle = clock.after(Math.min(idleMs, IDLE_CHECK_MS), () => {
      this.#endIdle(idleMs);
      this.#scheduleIdle();
    });
  }

  #endIdle(idleMs: number): void {
    const { clock, members } = this.#options;
    for (const { session } of members.clients) {
      const { idleSince } = session;
      if (idleSince === undefined || clock.now() - idleSince < idleMs) continue;
      session.terminate("IDLE_TIMEOUT", `The client made no request for ${Math.round(idleMs / 1000)} s.`);
    }
  }

  #scheduleSweep(): void {
    const { clock, sweep } = this.#options;
    if (sweep === undefined) return;
    this.#cancelSweep = clock.after(SWEEP_MS, () => {
      this.#scheduleSweep();
      sweep();
    });
  }

  #scheduleCleaning(ms: number): void {
    const { clock, storage, events, writable } = this.#options;
    if (!writable) return;
    this.#cancelCleaning = clock.after(ms, () => {
      this.#scheduleCleaning(CLEANING_MS);
      void cleanUnfinished(storage, clock.wallTime(), (event) => events.emit(event));
    });
  }
}
