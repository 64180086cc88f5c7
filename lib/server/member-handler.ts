import type { Open } from "../protocol/messages.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { SessionHandler } from "../session/session-options.ts";
import type { Stream } from "../session/stream.ts";
import type { Admission } from "./admission.ts";
import type { Member } from "./member.ts";

/** Receives the events of all members. */
export interface MemberPort {
  onOpen(member: Member, stream: Stream, request: Open): void;
  onEnd(member: Member, admission: Admission, end: SessionEnd): void;
}

/** Passes on the events of one member's session, with the member. */
export class MemberHandler implements SessionHandler {
  readonly #member: Member;
  readonly #admission: Admission;
  readonly #port: MemberPort;

  constructor(member: Member, admission: Admission, port: MemberPort) {
    this.#member = member;
    this.#admission = admission;
    this.#port = port;
  }

  onOpen(stream: Stream, request: Open): void {
    this.#port.onOpen(this.#member, stream, request);
  }

  onEnd(end: SessionEnd): void {
    this.#port.onEnd(this.#member, this.#admission, end);
  }
}
