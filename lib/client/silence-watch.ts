import { TransportError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** Looks in one silence. */
const LOOKS = 8;

export interface SilenceOptions {
  readonly stream: Stream;
  readonly clock: Clock;
  /** Silence of so many milliseconds ends the request. */
  readonly silenceMs: number;
  readonly method: string;
  /** Whether it is the server's turn to say something. */
  isWaiting(): boolean;
}

/**
 * Ends a request on which nothing moves while the server owes an answer, though the link lives: with TIMEOUT, as if it were
 * lost. Source: PROTOCOL.md, "Working".
 */
export function watchSilence({ stream, clock, silenceMs, method, isWaiting }: SilenceOptions): void {
  const intervalMs = silenceMs / LOOKS;
  let quietSince = clock.now();
  let movement = stream.movement;
  let cancel: () => void;
  const look = (dueAt: number) => {
    const now = clock.now();
    // This process itself was stopped: what came meanwhile is still to be read.
    const wasStopped = now - dueAt >= intervalMs;
    if (wasStopped || movement !== stream.movement || !isWaiting()) quietSince = now;
    movement = stream.movement;
    if (now - quietSince < silenceMs) return schedule();
    const seconds = Math.round(silenceMs / 1000);
    const error = new TransportError("TIMEOUT", `The server has not gone on with "${method}" for ${seconds} s.`);
    stream.reset("CANCELLED", "Nothing has come for too long.", error);
  };
  const schedule = () => {
    const dueAt = clock.now() + intervalMs;
    cancel = clock.after(intervalMs, () => look(dueAt));
  };
  schedule();
  void stream.closed.then(() => cancel());
}
