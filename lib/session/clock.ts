import { eventLoopTurn } from "../turn.ts";

/** Time as the layers above see it, so that tests can own it. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
  /** Milliseconds since 1970. */
  wallTime(): number;
  /** Run `action` once after `ms`, unless cancelled by the returned function. */
  after(ms: number, action: () => void): () => void;
  /** Resolves after all other work that waits for the event loop has had a turn. */
  turn(): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
  turn: eventLoopTurn,
};
