import type { MessageParams } from "../protocol/methods.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { Prover } from "../session/prover.ts";
import type { RateLimits } from "../session/rate-limit.ts";
import type { Transport } from "../session/transport.ts";

export interface ClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly agent: string;
  /** The token that the client proves to the server; absent: it proves none. */
  readonly token?: Token | undefined;
  /** Another proof in place of a token's. */
  readonly prover?: Prover | undefined;
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** "" to be able to resume after a lost link; the earlier client's `resume` to resume. */
  readonly resume?: string;
  /** The name that the client gives itself, with the characters of a token's name. */
  readonly nick?: string | undefined;
  readonly signal?: AbortSignal;
  /** How fast files move, both ways together with the other clients that have these limits; absent: as fast as they can. */
  readonly rateLimit?: RateLimits;
  /** A request that the server leaves without an answer for this time ends; absent: the client waits. */
  readonly silenceMs?: number;
  /** How often a request refused for its rate is retried; 0: the refusal is thrown at once. */
  readonly attempts?: number;
  onQueued?(position: number): void;
  /** A pushed message. It is acknowledged as delivered when the returned promise has settled. */
  onMessage?(message: MessageParams): unknown;
}
