import type { Role } from "../protocol/messages.ts";
import type { Session, SessionEnd } from "../session/session.ts";
import type { Counters, EndReason } from "./ledger.ts";

export interface MemberOptions {
  /** Row in the ledger; operators have none. */
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly startedAt: number;
}

/** One admitted peer: a session with its name and role, and what it has done. */
export class Member implements Counters {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly startedAt: number;
  /** Set right after the member was made: the session needs it for its handler. */
  session!: Session;
  /** Messages that came from it, and that were pushed to it and acknowledged. */
  messagesIn = 0;
  messagesOut = 0;

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.name = options.name;
    this.role = options.role;
    this.address = options.address;
    this.startedAt = options.startedAt;
  }

  get bytesIn(): number {
    return this.session.bytesIn;
  }

  get bytesOut(): number {
    return this.session.bytesOut;
  }

  get counters(): Counters {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this;
    return { bytesIn, bytesOut, messagesIn, messagesOut };
  }
}

/** The ledger's word for the end of a session. */
export function endReason(end: SessionEnd): EndReason {
  if (end.by === "lost") return "lost";
  switch (end.code) {
    case "OK":
      return "exit";
    case "KICKED":
      return "kicked";
    case "HEARTBEAT_TIMEOUT":
      return "timeout";
    case "SHUTDOWN":
      return end.by === "local" ? "shutdown" : "exit";
    default:
      return "protocol error";
  }
}
