import type { Open, ReasonCode } from "../protocol/messages.ts";
import type { Clock } from "./clock.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Stream } from "./stream.ts";

/** What one side lets the other do; sent in HELLO and WELCOME. */
export interface StreamLimits {
  /** Bytes of DATA that may be sent on a new stream before the first CREDIT. */
  readonly credit: number;
  readonly maxStreams: number;
}

export interface SessionHandler {
  /** The peer opened a stream. Answer with accept() or reset(); must not throw. */
  onOpen(stream: Stream, request: Open): void;
  /** The peer will end the session: no stream can be opened any more; open ones continue. */
  onGoAway?(reason: { code: ReasonCode; message: string }): void;
  onEnd(end: SessionEnd): void;
}

export interface SessionOptions {
  readonly side: "client" | "server";
  readonly clock: Clock;
  /** What the peer granted us, and what we granted the peer. */
  readonly remote: StreamLimits;
  readonly local: StreamLimits;
  /** Both sides have named the capability "working". */
  readonly isWorkingTold?: boolean;
  readonly handler: SessionHandler;
}
