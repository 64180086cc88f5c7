import { TransportError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";

/** Checks during one silence. */
const LOOKS = 8;
/** The least silence that counts: a working server reports every 15 seconds, so three times that. */
const MIN_SILENCE_MS = 45_000;
/** How long a server may report nothing but that it works. */
export const MAX_WORKING_MS = 24 * 3600 * 1000;

/** How long a server may be silent on a request, for a client that waits `timeoutMs` for a connection. */
export function silenceFor(timeoutMs: number): number {
  return Math.max(MIN_SILENCE_MS, 3 * timeoutMs);
}

export interface SilenceTerms {
  readonly clock: Clock;
  /** The silence that ends the request, in milliseconds. */
  readonly silenceMs: number;
}

export interface SilenceOptions extends SilenceTerms {
  readonly stream: Stream;
  readonly method: string;
  /** True while the server owes an answer. */
  isWaiting(): boolean;
}

/**
 * Ends a request with TIMEOUT, as if the link were lost, when the server owes an answer and sends nothing, although the
 * link lives. WORKING counts as progress, but not for ever. Source: PROTOCOL.md, "Working".
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
      end(`The server has made no progress with "${method}" for ${secondsOf(silenceMs)} s.`);
    else if (now - idleSince >= MAX_WORKING_MS) {
      end(`The server has only reported for ${secondsOf(MAX_WORKING_MS) / 3600} h that it is working on "${method}".`);
    }
  };
  const end = (message: string) => {
    stream.reset("CANCELLED", "Nothing has come for too long.", new TransportError("TIMEOUT", message));
  };
  const cancel = every(clock, intervalMs, look);
  void stream.closed.then(cancel);
}

/** The result of `answer`, or TIMEOUT when it does not come in time. @throws as `answer`; TransportError TIMEOUT */
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
 * Call `look` at each interval. `stoodStill`: this process itself was stopped, and has not read what arrived meanwhile.
 *
 * @returns a function that ends it
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
