import { TransportError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** Looks in one silence. */
const LOOKS = 8;
/** A server that is at work says so every 15 seconds: three times that. */
const MIN_SILENCE_MS = 45_000;
/** So long a server is believed that says nothing but that it works. */
export const MAX_WORKING_MS = 24 * 3600 * 1000;

/** How long a server may be silent on a request, for a client that waits `timeoutMs` for a connection. */
export function silenceFor(timeoutMs: number): number {
  return Math.max(MIN_SILENCE_MS, 3 * timeoutMs);
}

export interface SilenceTerms {
  readonly clock: Clock;
  /** Silence of so many milliseconds is too long. */
  readonly silenceMs: number;
}

export interface SilenceOptions extends SilenceTerms {
  readonly stream: Stream;
  readonly method: string;
  /** Whether it is the server's turn to say something. */
  isWaiting(): boolean;
}

/**
 * Ends a request on which nothing moves while the server owes an answer, though the link lives: with TIMEOUT, as if it were
 * lost. WORKING moves it, but not for ever. Source: PROTOCOL.md, "Working".
 */
export function watchSilence({ stream, clock, silenceMs, method, isWaiting }: SilenceOptions): void {
  const intervalMs = silenceMs / LOOKS;
  let quietSince = clock.now();
  let idleSince = quietSince;
  let movement = stream.movement;
  let progress = movement - stream.workings;
  const look = (stoodStill: boolean) => {
    const now = clock.now();
    const isOurs = stoodStill || !isWaiting();
    if (isOurs || movement !== stream.movement) quietSince = now;
    if (!isWaiting() || progress !== stream.movement - stream.workings) idleSince = now;
    movement = stream.movement;
    progress = movement - stream.workings;
    if (now - quietSince >= silenceMs)
      end(`The server has not gone on with "${method}" for ${secondsOf(silenceMs)} s.`);
    else if (now - idleSince >= MAX_WORKING_MS) {
      end(`The server has said for ${secondsOf(MAX_WORKING_MS) / 3600} h that it works on "${method}", and no more.`);
    }
  };
  const end = (message: string) => {
    stream.reset("CANCELLED", "Nothing has come for too long.", new TransportError("TIMEOUT", message));
  };
  const cancel = every(clock, intervalMs, look);
  void stream.closed.then(cancel);
}

/** `answer`, or TIMEOUT when it does not come in time. @throws as `answer`; TransportError TIMEOUT */
export async function orSilence<T>(answer: Promise<T>, what: string, { clock, silenceMs }: SilenceTerms): Promise<T> {
  const silence = Promise.withResolvers<never>();
  let quietMs = 0;
  const cancel = every(clock, silenceMs / LOOKS, (stoodStill) => {
    quietMs = stoodStill ? 0 : quietMs + silenceMs / LOOKS;
    if (quietMs < silenceMs) return;
    const message = `The server has not answered ${what} for ${secondsOf(silenceMs)} s.`;
    silence.reject(new TransportError("TIMEOUT", message));
  });
  try {
    return await Promise.race([answer, silence.promise]);
  } finally {
    cancel();
  }
}

/**
 * Look again and again. `stoodStill`: this process itself was stopped, and what came meanwhile is still to be read.
 *
 * @returns what ends it
 */
function every(clock: Clock, intervalMs: number, look: (stoodStill: boolean) => void): () => void {
  let cancel = () => {};
  let isOver = false;
  const schedule = () => {
    const dueAt = clock.now() + intervalMs;
    cancel = clock.after(intervalMs, () => {
      look(clock.now() - dueAt >= intervalMs);
      if (!isOver) schedule();
    });
  };
  schedule();
  return () => {
    isOver = true;
    cancel();
  };
}

function secondsOf(ms: number): number {
  return Math.round(ms / 1000);
}
