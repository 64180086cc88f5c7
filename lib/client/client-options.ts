import type { MessageParams } from "../protocol/methods.ts";
import type { Token } from "../protocol/token.ts";
import type { Clock } from "../session/clock.ts";
import type { Transport } from "../session/transport.ts";

export interface ClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly agent: string;
  /** Proven to the server; absent: nothing is. */
  readonly token?: Token | undefined;
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** "" to be able to come back after a lost link; the earlier client's `resume` to come back. */
  readonly resume?: string;
  readonly signal?: AbortSignal;
  /** Silence of the server on a request that it has not answered for so long ends it; absent: it is waited for. */
  readonly silenceMs?: number;
  /** How often a request is asked again that came too often; 0: the refusal is thrown at once. */
  readonly attempts?: number;
  onQueued?(position: number): void;
  /** A message that somebody pushed; it is acknowledged as delivered when what this returns has settled. */
  onMessage?(message: MessageParams): unknown;
}
