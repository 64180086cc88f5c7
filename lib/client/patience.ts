import { CommError, RemoteError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";

/** When a server refuses for a rate and does not say when it would not. */
const USUAL_WAIT_MS = 250;
/** No single wait is longer, whatever a server says. */
const MAX_WAIT_MS = 10_000;
/** So often a request is asked again: a server that never lets one through is not waited for without end. */
export const PATIENT = 10;

/**
 * Asks again what a server refuses for coming too often, or for having too much open. Those who ask the same kind of thing meanwhile come behind, one after
 * the other: a hundred that come back at once would be refused again but for one.
 */
export class Patience {
  readonly #clock: Pick<Clock, "after">;
  readonly #attempts: number;
  /** By method: settles when the last one that waits has been answered. */
  readonly #queues = new Map<string, Promise<void>>();

  /** `attempts`: how often the same is asked again. */
  constructor(clock: Pick<Clock, "after">, attempts: number) {
    this.#clock = clock;
    this.#attempts = attempts;
  }

  /** Do `ask`, again while it is refused with TOO_OFTEN or OVERLOADED. @throws what it fails with; CommError INTERRUPTED by `signal` */
  async run<T>(method: string, ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const queue = this.#queues.get(method);
    if (queue === undefined) {
      try {
        return await ask();
      } catch (thrown) {
        if (!isPassing(thrown) || this.#attempts === 0) throw thrown;
        return this.#enqueue(method, () => this.#askAgain(thrown, ask, signal));
      }
    }
    return this.#enqueue(method, () => this.#askAgain(undefined, ask, signal));
  }

  #enqueue<T>(method: string, work: () => Promise<T>): Promise<T> {
    const answered = (this.#queues.get(method) ?? Promise.resolve()).then(work);
    const queue = answered.then(
      () => {},
      () => {},
    );
    this.#queues.set(method, queue);
    void queue.then(() => {
      if (this.#queues.get(method) === queue) this.#queues.delete(method);
    });
    return answered;
  }

  async #askAgain<T>(refusal: RemoteError | undefined, ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    let last = refusal;
    for (let refusals = 0; ; refusals++) {
      if (last !== undefined) await this.#wait(Math.min(MAX_WAIT_MS, last.retryAfterMs ?? USUAL_WAIT_MS), signal);
      try {
        return await ask();
      } catch (thrown) {
        if (!isPassing(thrown) || refusals >= this.#attempts) throw thrown;
        last = thrown;
      }
    }
  }

  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(new CommError("INTERRUPTED", "Interrupted."));
      };
      const cancel = this.#clock.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) onAbort();
    });
  }
}

/** Refused for now, and not for what was asked for. */
function isPassing(thrown: unknown): thrown is RemoteError {
  return thrown instanceof RemoteError && (thrown.code === "TOO_OFTEN" || thrown.code === "OVERLOADED");
}
