import { CommError, RemoteError } from "../errors.ts";
import type { Clock } from "../session/clock.ts";

/** The wait after a refusal for a rate that does not say how long to wait. */
const USUAL_WAIT_MS = 250;
/** The longest single wait, whatever a server says. */
const MAX_WAIT_MS = 10_000;
/** How often a request is retried, so that a server that never accepts it does not block us for ever. */
export const PATIENT = 10;

/**
 * Retries requests that a server refuses because they came too often, or because it has too many files open. Further
 * requests of the same method queue, one after the other: of a hundred retried at once, all but one would be refused
 * again.
 */
export class Patience {
  readonly #clock: Pick<Clock, "after">;
  readonly #attempts: number;
  /** By method: settles when the last request in the queue has been answered. */
  readonly #queues = new Map<string, Promise<void>>();

  /** `attempts`: how often a request is retried. */
  constructor(clock: Pick<Clock, "after">, attempts: number) {
    this.#clock = clock;
    this.#attempts = attempts;
  }

  /**
   * Call `ask`, again while it is refused with TOO_OFTEN or OVERLOADED.
   *
   * @throws its error; CommError INTERRUPTED by `signal`
   */
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

/** True for a refusal that may pass with time. */
function isPassing(thrown: unknown): thrown is RemoteError {
  return thrown instanceof RemoteError && (thrown.code === "TOO_OFTEN" || thrown.code === "OVERLOADED");
}
