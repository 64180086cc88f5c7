import type { ServerEvent } from "../protocol/methods.ts";

/** An event with its time, in milliseconds since 1970. */
export type StampedEvent = ServerEvent & { readonly at: number };
export type EventListener = (event: StampedEvent) => void;

/** Tells everyone who listens what happens at the server: its log, its terminal, its operators. */
export class EventFeed {
  readonly #listeners = new Set<EventListener>();
  readonly #now: () => number;

  readonly #ended = Promise.withResolvers<void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  emit(event: ServerEvent): void {
    const stamped = { at: this.#now(), ...event };
    for (const listener of this.#listeners) listener(stamped);
  }

  /** Settles when nothing more will happen. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    this.#ended.resolve();
  }

  /** Returns the function that ends it. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
