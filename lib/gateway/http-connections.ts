import { Handshakes } from "../server/handshakes.ts";
import type { Clock } from "../session/clock.ts";
import type { HttpConnection } from "./http-connection.ts";

/** The most time from the first byte of a head to its last. */
export const HEAD_MS = 10_000;
/** How long a connection may stay without a request. */
export const IDLE_MS = 60_000;

export interface ConnectionLimits {
  /** The most connections at once. */
  readonly maxConnections: number;
  /** The most connections without a request, in total and from one address; the one idle for longest makes room. */
  readonly maxIdle: number;
  readonly maxIdlePerAddress: number;
}

/** The connections of the HTTP door: how many there may be, and how long one may stay without a request. */
export class HttpConnections {
  readonly #all = new Set<HttpConnection>();
  readonly #max: number;
  readonly #idle: Handshakes<HttpConnection>;
  readonly #clock: Clock;
  readonly #stopping: AbortSignal;
  readonly #cancels = new WeakMap<HttpConnection, () => void>();

  /** From `stopping` on, a connection ends with its last request. */
  constructor(limits: ConnectionLimits, clock: Clock, stopping: AbortSignal) {
    this.#max = limits.maxConnections;
    this.#idle = new Handshakes({ max: limits.maxIdle, maxPerGroup: limits.maxIdlePerAddress });
    this.#clock = clock;
    this.#stopping = stopping;
    stopping.addEventListener("abort", () => this.#endIdle());
  }

  /** @returns whether there was room for it, or an idle one that made room */
  admit(connection: HttpConnection): boolean {
    this.#idle.inTheWayOf(connection.group)?.peer.destroy();
    // Connections with a request under way are kept.
    if (this.#all.size >= this.#max) {
      const resting = this.#idle.leastPromising();
      if (resting === undefined) return false;
      resting.destroy();
    }
    this.#all.add(connection);
    connection.onArrival = () => this.#onArrival(connection);
    connection.once("close", () => {
      this.#cancels.get(connection)?.();
      this.#all.delete(connection);
      this.#idle.remove(connection);
    });
    this.rest(connection);
    return true;
  }

  /** The connection has a request: no limit of this class holds until rest(). */
  work(connection: HttpConnection): void {
    this.#cancels.get(connection)?.();
    this.#idle.remove(connection);
    connection.isReading = false;
  }

  /** The connection is now without a request. */
  rest(connection: HttpConnection): void {
    if (connection.destroyed) return;
    if (this.#stopping.aborted) return void connection.end();
    this.#idle.add(connection);
    this.#limit(connection, IDLE_MS);
  }

  /** End every connection at once. */
  abort(): void {
    for (const connection of [...this.#all]) connection.destroy();
  }

  #endIdle(): void {
    for (const connection of [...this.#all]) if (connection.requests === 0) connection.destroy();
  }

  #onArrival(connection: HttpConnection): void {
    if (connection.requests > 0 || connection.isReading || connection.destroyed) return;
    connection.isReading = true;
    this.#limit(connection, HEAD_MS);
  }

  #limit(connection: HttpConnection, ms: number): void {
    this.#cancels.get(connection)?.();
    this.#cancels.set(
      connection,
      this.#clock.after(ms, () => connection.destroy()),
    );
  }
}
