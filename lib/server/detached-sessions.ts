import type { Clock } from "../session/clock.ts";
import type { SessionEnd } from "../session/session.ts";
import type { Admission } from "./admission.ts";
import type { Member } from "./member.ts";

interface DetachedSession {
  readonly member: Member;
  /** Holds the seat. */
  readonly admission: Admission;
  readonly end: SessionEnd;
  readonly cancel: () => void;
}

/** Members whose link was lost, for as long as their name and seat are kept for them. */
export class DetachedSessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, DetachedSession>();
  readonly graceMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.graceMs = graceMs;
  }

  /** Keep the member's place. `onExpired` is called unless it is taken back in time. */
  keep(member: Member, admission: Admission, end: SessionEnd, onExpired: (detached: DetachedSession) => void): void {
    const { resumeToken: token } = member;
    if (token === undefined) return;
    const cancel = this.#clock.after(this.graceMs, () => {
      const detached = this.take(token);
      if (detached !== undefined) onExpired(detached);
    });
    this.#sessions.set(token, { member, admission, end, cancel });
  }

  /** The member that comes back with the resume token, once, if it `is` the right one. */
  take(token: string, is: (member: Member) => boolean = () => true): DetachedSession | undefined {
    const detached = this.#sessions.get(token);
    if (detached === undefined || !is(detached.member)) return undefined;
    this.#sessions.delete(token);
    detached.cancel();
    return detached;
  }

  /** The member of that name, in any case of letters; it can't come back any more. */
  takeByName(name: string): DetachedSession | undefined {
    for (const [token, { member }] of this.#sessions) {
      if (member.name.toLowerCase() === name.toLowerCase()) return this.take(token);
    }
    return undefined;
  }

  /** All that `are`: they can't come back any more. */
  takeWhere(are: (member: Member) => boolean): DetachedSession[] {
    return [...this.#sessions.keys()].flatMap((token) => this.take(token, are) ?? []);
  }
}
