import type { Clock } from "../session/clock.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { Admission } from "./admission.ts";
import type { Member } from "./member.ts";

interface DetachedSession {
  readonly member: Member;
  /** Holds the seat. */
  readonly admission: Admission;
  readonly end: SessionEnd;
  readonly cancel: () => void;
}

/** Sessions whose link was lost, as long as their names and seats are kept. */
export class DetachedSessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, DetachedSession>();
  readonly graceMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.graceMs = graceMs;
  }

  /** Keep the member's name and seat. Calls `onExpired` unless the client comes back in time. */
  keep(member: Member, admission: Admission, end: SessionEnd, onExpired: (detached: DetachedSession) => void): void {
    const { resumeToken: token } = member;
    if (token === undefined) return;
    const cancel = this.#clock.after(this.graceMs, () => {
      const detached = this.take(token);
      if (detached !== undefined) onExpired(detached);
    });
    this.#sessions.set(token, { member, admission, end, cancel });
  }

  /** The session that the resume token belongs to, if its member `matches`. It can be taken only once. */
  take(token: string, matches: (member: Member) => boolean = () => true): DetachedSession | undefined {
    const detached = this.#sessions.get(token);
    if (detached === undefined || !matches(detached.member)) return undefined;
    this.#sessions.delete(token);
    detached.cancel();
    return detached;
  }

  /** The session of that name, in any letter case. Its client can't come back any more. */
  takeByName(name: string): DetachedSession | undefined {
    for (const [token, { member }] of this.#sessions) {
      if (member.name.toLowerCase() === name.toLowerCase()) return this.take(token);
    }
    return undefined;
  }

  /** All sessions whose member `matches`. Their clients can't come back any more. */
  takeWhere(matches: (member: Member) => boolean): DetachedSession[] {
    return [...this.#sessions.keys()].flatMap((token) => this.take(token, matches) ?? []);
  }
}
