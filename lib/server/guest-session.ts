import { CommError } from "../errors.ts";
import type { ReasonCode } from "../protocol/messages.ts";
import type { Clock } from "../session/clock.ts";
import type { RateLimit } from "../session/rate-limit.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { MemberSession } from "./member-session.ts";

/** The most requests of one guest at once. */
export const MAX_REQUESTS = 128;

/** A request that is under way. */
export interface GuestRequest {
  /** Bytes of the request, and of its answer, so far. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Abort it, since its session ends for this reason. It reports its own end. */
  end(code: ReasonCode, message: string): void;
}

export interface GuestSessionOptions {
  readonly clock: Clock;
  /** How long the session lasts without a request. */
  readonly graceMs: number;
  /** The rate limit of outgoing bytes; undefined: no limit. */
  readonly rateLimit: RateLimit | undefined;
  /** The rate limit of incoming bytes; undefined: no limit. */
  readonly inboundLimit: RateLimit | undefined;
  onEnd(end: SessionEnd): void;
}

/** The session of a client without a link of its own, which sends requests over short-lived connections, as in HTTP. */
export class GuestSession implements MemberSession {
  readonly #options: GuestSessionOptions;
  readonly #running = new Set<GuestRequest>();
  readonly #closed = Promise.withResolvers<void>();
  #idleSince: number;
  /** Why the session ends, once that is decided. */
  #end: SessionEnd | undefined;
  #hasEnded = false;
  #cancelGrace: () => void = () => {};
  #cancelDeadline: () => void = () => {};
  /** Bytes of requests that have ended. */
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(options: GuestSessionOptions) {
    this.#options = options;
    this.#idleSince = options.clock.now();
    this.#startGrace();
  }

  get bytesIn(): number {
    return [...this.#running].reduce((sum, { bytesIn }) => sum + bytesIn, this.#bytesIn);
  }

  get bytesOut(): number {
    return [...this.#running].reduce((sum, { bytesOut }) => sum + bytesOut, this.#bytesOut);
  }

  get rateLimit(): RateLimit | undefined {
    return this.#options.rateLimit;
  }

  get inboundLimit(): RateLimit | undefined {
    return this.#options.inboundLimit;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get idleSince(): number | undefined {
    return this.#running.size === 0 ? this.#idleSince : undefined;
  }

  readonly congested = false;
  readonly canOpen = true;

  open(): never {
    throw new CommError("NOT_DELIVERED", "It came by HTTP, which takes no messages.");
  }

  /**
   * @returns the function to call when the request has ended
   * @throws CommError TOO_MANY_STREAMS, or the reason why the session is ending
   */
  begin(request: GuestRequest): () => void {
    if (this.#end !== undefined) {
      const { code, message } = this.#end;
      throw new CommError(code === "OK" ? "SHUTDOWN" : code, message);
    }
    if (this.#running.size >= MAX_REQUESTS) {
      throw new CommError("TOO_MANY_STREAMS", `${MAX_REQUESTS} requests are under way.`);
    }
    this.#running.add(request);
    this.#cancelGrace();
    return () => {
      if (!this.#running.delete(request)) return;
      this.#bytesIn += request.bytesIn;
      this.#bytesOut += request.bytesOut;
      if (this.#running.size > 0) return;
      this.#idleSince = this.#options.clock.now();
      if (this.#end === undefined) this.#startGrace();
      else this.#finish(this.#end);
    };
  }

  goAway(code: ReasonCode, message: string, deadlineMs: number): void {
    if (this.#end !== undefined) return;
    this.#end = { by: "local", code, message };
    if (this.#running.size === 0) this.#finish(this.#end);
    else this.#cancelDeadline = this.#options.clock.after(deadlineMs, () => this.#giveUp(code, message));
  }

  terminate(code: ReasonCode, message: string): void {
    if (this.#hasEnded) return;
    this.#end = { by: "local", code, message };
    this.#giveUp(code, message);
    this.#finish(this.#end);
  }

  /** The session never begins. */
  abandon(): void {
    this.#cancelGrace();
  }

  #giveUp(code: ReasonCode, message: string): void {
    for (const request of [...this.#running]) request.end(code, message);
  }

  #startGrace(): void {
    const end: SessionEnd = { by: "remote", code: "OK", message: "It asked for nothing more." };
    this.#cancelGrace = this.#options.clock.after(this.#options.graceMs, () => this.#finish(end));
  }

  #finish(end: SessionEnd): void {
    this.#cancelGrace();
    this.#cancelDeadline();
    this.#end = end;
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#options.onEnd(end);
    }
    if (this.#running.size === 0) this.#closed.resolve();
  }
}
