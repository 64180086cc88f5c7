import type { Clock } from "../session/clock.ts";
import type { SessionEnd } from "../session/session.ts";
import type { Admission } from "./admission.ts";
import type { Member } from "./member.ts";

interface Absence {
  readonly member: Member;
  /** Holds the seat. */
  readonly admission: Admission;
  readonly end: SessionEnd;
  readonly cancel: () => void;
}

/** Members whose link was lost, for as long as their name and seat are kept for them. */
export class Away {
  readonly #clock: Clock;
  readonly #absences = new Map<string, Absence>();
  readonly graceMs: number;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.graceMs = graceMs;
  }

  /** Keep the member's place. `onExpired` is called unless it is taken back in time. */
  keep(member: Member, admission: Admission, end: SessionEnd, onExpired: (absence: Absence) => void): void {
    const { resumeToken: token } = member;
    if (token === undefined) return;
    const cancel = this.#clock.after(this.graceMs, () => {
      const absence = this.take(token);
      if (absence !== undefined) onExpired(absence);
    });
    this.#absences.set(token, { member, admission, end, cancel });
  }

  /** The member that comes back with the resume token, once, if it `is` the right one. */
  take(token: string, is: (member: Member) => boolean = () => true): Absence | undefined {
    const absence = this.#absences.get(token);
    if (absence === undefined || !is(absence.member)) return undefined;
    this.#absences.delete(token);
    absence.cancel();
    return absence;
  }

  /** The member of that name, in any case of letters; it can't come back any more. */
  takeByName(name: string): Absence | undefined {
    for (const [token, { member }] of this.#absences) {
      if (member.name.toLowerCase() === name.toLowerCase()) return this.take(token);
    }
    return undefined;
  }

  /** All that `are`: they can't come back any more. */
  takeWhere(are: (member: Member) => boolean): Absence[] {
    return [...this.#absences.keys()].flatMap((token) => this.take(token, are) ?? []);
  }
}
