import { CommError } from "../../errors.ts";
import type { Clock } from "../../session/clock.ts";
import { Wakeup } from "../../session/wakeup.ts";
import { pause } from "../pause.ts";

/** How long the source must be quiet before it is mirrored again, and how long a busy one is waited for at most. */
const QUIET_MS = 300;
const MAX_BUSY_MS = 5_000;
/** When to try again what was not mirrored. */
const RETRY_MS = 30_000;

/** Reports of a watched source. */
export interface SourceWatcher {
  /** The source has changed, or may have. */
  onChange(): void;
  /** It can't be watched any more. */
  onFailed(thrown: unknown): void;
}

export interface KeepMirroredTerms {
  readonly clock: Pick<Clock, "after">;
  readonly signal: AbortSignal;
  /** Report every change from now on. @returns the function that ends it */
  watch(watcher: SourceWatcher): Promise<() => void>;
  /** Mirror once. @returns false when not everything was mirrored */
  mirror(): Promise<boolean>;
}

/**
 * Mirror now, and again whenever the source has changed. Whatever changes meanwhile, only that something did is
 * remembered.
 *
 * @throws CommError INTERRUPTED by `signal`; as `watch`, `mirror`
 */
export async function keepMirrored({ clock, signal, watch, mirror }: KeepMirroredTerms): Promise<never> {
  const wakeup = new Wakeup();
  let isDue = false;
  let failure: { readonly thrown: unknown } | undefined;
  const onChange = () => {
    isDue = true;
    wakeup.notify();
  };
  const onAbort = () => wakeup.notify();
  const onFailed = (thrown: unknown) => {
    failure ??= { thrown };
    wakeup.notify();
  };
  const stop = await watch({ onChange, onFailed });
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      // Changes from here on are for the next time.
      isDue = false;
      const isWhole = await mirror();
      const cancel = isWhole ? () => {} : clock.after(RETRY_MS, onChange);
      while (!isDue && failure === undefined && !signal.aborted) await wakeup.wait();
      cancel();
      for (let busyMs = 0; isDue && busyMs < MAX_BUSY_MS; busyMs += QUIET_MS) {
        isDue = false;
        await pause(clock, QUIET_MS, signal);
      }
      if (signal.aborted) throw new CommError("INTERRUPTED", "Interrupted.");
      if (failure !== undefined) throw failure.thrown;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop();
  }
}
