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
  /** With it the client can come back; undefined when it has not asked for that. */
  readonly token?: string | undefined;
}

/** One admitted peer: a session with its name and role, and what it has done. */
export class Member implements Counters {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  address: string;
  readonly startedAt: number;
  readonly token: string | undefined;
  /** True when it has come back over another link before this one was known to be lost. */
  isSuperseded = false;
  /** Bytes over the links before this one. */
  #bytesInBefore = 0;
  #bytesOutBefore = 0;
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
    this.token = options.token;
  }

  get bytesIn(): number {
    return this.#bytesInBefore + this.session.bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOutBefore + this.session.bytesOut;
  }

  /** It goes on over another link. */
  moveTo(session: Session, address: string): void {
    this.#bytesInBefore = this.bytesIn;
    this.#bytesOutBefore = this.bytesOut;
    this.session = session;
    this.address = address;
    this.isSuperseded = false;
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
