import { CommError } from "../../errors.ts";
import type { Clock } from "../../session/clock.ts";
import { Wakeup } from "../../session/wakeup.ts";
import { pause } from "../pause.ts";

/** How long the source must be quiet before it is mirrored again, and how long a busy one is waited for at most. */
const QUIET_MS = 300;
const MAX_BUSY_MS = 5_000;
/** When to try again what was not mirrored, and when to look again for a source that is not there. */
const RETRY_MS = 30_000;
const LOOK_MS = 2_000;

/** Reports of a watched source. */
export interface SourceWatcher {
  /** The source has changed, or may have. */
  onChange(): void;
  /** It can't be watched any more. */
  onFailed(thrown: unknown): void;
}

/** "partly": something was not mirrored; "absent": the source is not there. */
export type MirrorOutcome = "whole" | "partly" | "absent";

export interface KeepMirroredTerms {
  readonly clock: Pick<Clock, "after">;
  readonly signal: AbortSignal;
  /** Report every change from now on. @returns the function that ends it */
  watch(watcher: SourceWatcher): Promise<() => void>;
  /** Mirror once. */
  mirror(): Promise<MirrorOutcome>;
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
  const watcher = { onChange, onFailed };
  let stop = await watch(watcher);
  let wasAbsent = false;
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      // Changes from here on are for the next time.
      isDue = false;
      const outcome = await mirror();
      let isAbsent = outcome === "absent";
      if (wasAbsent && !isAbsent) {
        // What is there now may be another folder, of which the watch of the old one tells nothing.
        stop();
        const again = await watch(watcher).catch(() => undefined);
        stop = again ?? (() => {});
        // It has gone away again.
        isAbsent = again === undefined;
        if (!isAbsent) onChange();
      }
      wasAbsent = isAbsent;
      const isDone = outcome === "whole" && !isAbsent;
      const cancel = isDone ? () => {} : clock.after(isAbsent ? LOOK_MS : RETRY_MS, onChange);
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
