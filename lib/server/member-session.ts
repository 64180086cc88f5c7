import type { ReasonCode } from "../protocol/messages.ts";
import type { Stream } from "../session/stream.ts";

/**
 * What the server needs of a member's session: over a link (session/session.ts), or of HTTP requests
 * (guest-session.ts).
 */
export interface MemberSession {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Settles when the session is gone. */
  readonly closed: Promise<void>;
  /** When the last request ended, on the clock; undefined while a request is open. */
  readonly idleSince: number | undefined;
  /** True while the peer does not read what it is sent; a push would only wait. */
  readonly congested: boolean;
  /** False while as many pushes are open as the peer allows. */
  readonly canOpen: boolean;
  /** Push a request to the peer. @throws CommError NOT_DELIVERED if the peer takes none; as Session.open() */
  open(request: { method: string; params: Record<string, unknown> }, options: { end?: boolean }): Stream;
  /** End when all running requests have ended, at the latest after `deadlineMs`; accept no new ones. */
  goAway(code: ReasonCode, message: string, deadlineMs: number): void;
  /** End now: running requests fail. */
  terminate(code: ReasonCode, message: string): void;
}
