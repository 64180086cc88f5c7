import type { ServerEvent } from "../protocol/methods.ts";

/** An event with its time, in milliseconds since 1970. */
export type StampedEvent = ServerEvent & { readonly at: number };
export type EventListener = (event: StampedEvent) => void;

/** Passes the server's events to its listeners: the log, the terminal, the operators. */
export class EventFeed {
  readonly #listeners = new Set<EventListener>();
  readonly #now: () => number;
  readonly #ended = new AbortController();

  constructor(now: () => number) {
    this.#now = now;
  }

  emit(event: ServerEvent): void {
    const stamped = { at: this.#now(), ...event };
    for (const listener of this.#listeners) listener(stamped);
  }

  /** Aborts when no more events will come. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  end(): void {
    this.#ended.abort();
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
