import type { ErrorCode } from "../errors.ts";

const CLOSED = "The server admits nobody at present.";
export const STOPPING = "The server is shutting down.";

export interface LifecycleOptions {
  /** Nobody is admitted from now on, with these words for those who wait, or everybody is again. */
  onDraining(on: boolean, message: string): void;
  /** An operator asks the program to stop; it decides how. */
  onStopRequest(): void;
}

/** Whether a server admits clients, and whether it stops. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #stopping = new AbortController();
  #draining = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Aborts when the server begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** While true nobody new is admitted. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Admit nobody new from now on, those who wait included, or admit again. */
  setDraining(on: boolean): void {
    this.#draining = on;
    this.#options.onDraining(on, CLOSED);
  }

  requestStop(): void {
    this.#options.onStopRequest();
  }

  /** The server stops. */
  beginStop(): void {
    this.#stopping.abort();
  }

  /** Why nobody new is admitted; undefined: everybody may come. */
  get closedFor(): { code: ErrorCode; message: string } | undefined {
    if (this.stopping.aborted) return { code: "SHUTDOWN", message: STOPPING };
    return this.#draining ? { code: "SHUTDOWN", message: CLOSED } : undefined;
  }
}
