import type { ReasonCode } from "../protocol/messages.ts";
import type { Stream } from "../session/stream.ts";

/**
 * What the server needs of a member's session, be it a link's (session/session.ts) or made of requests
 * (guest-session.ts).
 */
export interface MemberSession {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Settles when nothing of it is left. */
  readonly closed: Promise<void>;
  /** When the last request ended, on the clock; undefined while one is open. */
  readonly idleSince: number | undefined;
  /** True while the peer does not read what it is sent; a push would only wait. */
  readonly congested: boolean;
  /** False while as many pushes are open as the peer allows. */
  readonly canOpen: boolean;
  /** Push a request to the peer. @throws CommError NOT_DELIVERED to a peer that takes none; as Session.open() */
  open(request: { method: string; params: Record<string, unknown> }, options: { end?: boolean }): Stream;
  /** End when what is under way has ended, at the latest after `deadlineMs`; nothing new begins. */
  goAway(code: ReasonCode, message: string, deadlineMs: number): void;
  /** End now: what is under way fails. */
  terminate(code: ReasonCode, message: string): void;
}
