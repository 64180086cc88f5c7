import type { ErrorCode } from "../errors.ts";

const CLOSED = "The server admits nobody at present.";
export const STOPPING = "The server is shutting down.";

export interface LifecycleOptions {
  /** Admission stops, with this message for waiting clients, or begins again. */
  onDraining(on: boolean, message: string): void;
  /** An operator asks the program to stop; the program decides how. */
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

  /** True while no new client is admitted. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Stop admitting clients, waiting ones included; or admit them again. */
  setDraining(on: boolean): void {
    this.#draining = on;
    this.#options.onDraining(on, CLOSED);
  }

  requestStop(): void {
    this.#options.onStopRequest();
  }

  /** The server begins to stop. */
  beginStop(): void {
    this.#stopping.abort();
  }

  /** Why no new client is admitted; undefined while clients are admitted. */
  get closedFor(): { code: ErrorCode; message: string } | undefined {
    if (this.stopping.aborted) return { code: "SHUTDOWN", message: STOPPING };
    return this.#draining ? { code: "SHUTDOWN", message: CLOSED } : undefined;
  }
}
