import { toCommError } from "../errors.ts";
import { CAPABILITIES, PROTOCOL_VERSION, WORKING_CAPABILITY } from "../protocol/constants.ts";
import { encodeJson } from "../protocol/json.ts";
import type { Hello, Open, Welcome } from "../protocol/messages.ts";
import { Opcode } from "../protocol/opcode.ts";
import type { Clock } from "../session/clock.ts";
import type { Link } from "../session/link.ts";
import { Session } from "../session/session.ts";
import type { SessionEnd } from "../session/session-end.ts";
import type { StreamLimits } from "../session/session-options.ts";
import type { Stream } from "../session/stream.ts";
import type { Account } from "./access/account.ts";
import type { Admission } from "./admission.ts";
import { DetachedSessions } from "./detached-sessions.ts";
import { type EnrolmentParts, enrol } from "./enrolment.ts";
import type { EventFeed } from "./event-feed.ts";
import type { Ledger } from "./ledger.ts";
import { endReason, Member, type MemberOptions } from "./member.ts";
import { MemberHandler, type MemberPort } from "./member-handler.ts";
import type { MemberSession } from "./member-session.ts";
import type { Members } from "./members.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { Candidate, Seats } from "./seats.ts";

/** The most messages to a client that it has not acknowledged, however many streams it allows. */
const MAX_PUSHES = 128;

export interface SessionsOptions extends EnrolmentParts {
  readonly agent: string;
  readonly capabilities: readonly string[];
  readonly clock: Clock;
  readonly limits: StreamLimits;
  readonly graceMs: number;
  readonly ledger: Ledger;
  readonly seats: Seats;
  readonly members: Members;
  readonly memory: MemoryBudget;
  readonly events: EventFeed;
  /** A member asks for something. */
  onOpen(member: Member, stream: Stream, request: Open): void;
  /** The session over this link has ended. */
  onEnded(link: Link): void;
  /** Write to the ledger; a failure is only reported as an event. */
  record(write: () => void): void;
}

/** Begins and ends the sessions of admitted peers, and keeps those whose link was lost for a while. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #detached: DetachedSessions;
  readonly #port: MemberPort;
  #isClosed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#detached = new DetachedSessions(options.clock, options.graceMs);
    this.#port = {
      onOpen: (member, stream, request) => options.onOpen(member, stream, request),
      onEnd: (member, admission, end) => this.#onEnd(admission, member, end),
    };
  }

  get members(): Members {
    return this.#options.members;
  }

  /** As Kicks.kick(). */
  kick(name: string, message: string): string {
    const detached = this.#detached.takeByName(name);
    if (detached !== undefined) {
      const { member, admission } = detached;
      this.#dismiss(admission, member, { by: "local", code: "KICKED", message });
      return member.name;
    }
    const member = this.members.client(name);
    member.session.terminate("KICKED", message);
    return member.name;
  }

  /** End the sessions whose token no longer admits them, detached ones included. `faultOf` gives the reason. */
  expel(faultOf: (account: Account) => string | undefined): void {
    const judge = (member: Member) => faultOf(member.account);
    for (const member of [...this.members.clients, ...this.members.operators]) {
      const fault = judge(member);
      if (fault !== undefined) member.session.terminate("ACCESS_DENIED", fault);
    }
    for (const { member, admission } of this.#detached.takeWhere((member) => judge(member) !== undefined)) {
      this.#dismiss(admission, member, { by: "local", code: "ACCESS_DENIED", message: judge(member) ?? "" });
    }
  }

  /** End all detached sessions: nobody can come back any more. */
  close(): void {
    this.#isClosed = true;
    for (const { member, admission, end } of this.#detached.takeWhere(() => true))
      this.#dismiss(admission, member, end);
  }

  /** The peer has a seat, or is an operator. */
  admit(admission: Admission, hello: Hello): void {
    const member = this.#enroll(admission, hello);
    if (member === undefined) return;
    this.#join(member);
  }

  /** Give a client back the session whose link was lost. @returns false when nothing is kept for `token` */
  takeBack(admission: Admission, token: string): boolean {
    const live = this.members.byResumeToken(token);
    // Only a client with the same proven token may have it.
    if (live !== undefined && live.token === admission.account.token) {
      // The client knew before we did that its link is lost.
      live.isSuperseded = true;
      live.session.terminate("HEARTBEAT_TIMEOUT", "The client reconnected over another link.");
    }
    const { account } = admission;
    const detached = this.#isClosed
      ? undefined
      : this.#detached.take(token, (member) => member.token === account.token);
    const hello = detached && admission.settle();
    if (detached === undefined || hello === undefined) return false;
    const { member } = detached;
    this.#options.seats.replace(detached.admission, admission);
    member.moveTo(admission.link.peer, hello.capabilities, (moved) => this.#welcome(admission, hello, moved));
    this.members.add(member);
    this.#options.events.emit({ event: "returned", name: member.name, address: member.address });
    return true;
  }

  #welcome(admission: Admission, hello: Hello, member: Member): Session {
    const { link, account } = admission;
    const { clock, limits, agent, capabilities, graceMs } = this.#options;
    const welcome: Welcome = {
      version: PROTOCOL_VERSION,
      name: member.name,
      ...(member.token !== undefined && { token: member.token }),
      role: account.role,
      agent,
      ...(member.resumeToken !== undefined && { resume: { token: member.resumeToken, graceMs } }),
      capabilities: capabilities.filter((known) => hello.capabilities.includes(known)),
      credit: limits.credit,
      maxStreams: limits.maxStreams,
    };
    link.send(Opcode.WELCOME, 0, encodeJson(welcome));
    return new Session(link, {
      side: "server",
      clock,
      remote: { credit: hello.credit, maxStreams: Math.min(hello.maxStreams, MAX_PUSHES) },
      local: limits,
      isWorkingTold: hello.capabilities.includes(WORKING_CAPABILITY),
      handler: new MemberHandler(member, admission, this.#port),
    });
  }

  /** Name the peer, and begin its session. @returns undefined when the ledger can't be written: the peer was refused */
  #enroll(admission: Admission, hello: Hello): Member | undefined {
    const { link, account } = admission;
    const startedAt = this.#options.clock.wallTime();
    const address = link.peer;
    const isOperator = account.role === "operator";
    const row = isOperator ? { id: 0, name: "Operator" } : this.#begin(admission, startedAt);
    if (row === undefined) return undefined;
    const resumeToken = isOperator || hello.resume === undefined ? undefined : crypto.randomUUID();
    const memory = this.#options.memory.share();
    const { capabilities, nick } = hello;
    return new Member({ ...row, account, address, startedAt, resumeToken, nick, capabilities, memory }, (member) =>
      this.#welcome(admission, hello, member),
    );
  }

  /**
   * Enroll a client without a link; `begin` makes its session. It counts from now on, until leave().
   *
   * @throws as enrol()
   */
  enrollGuest(
    guest: Pick<MemberOptions, "account" | "address" | "maxTransfers">,
    begin: (member: Member) => MemberSession,
  ): Member {
    const startedAt = this.#options.clock.wallTime();
    const row = enrol(guest.account, { address: guest.address, startedAt }, this.#options);
    const memory = this.#options.memory.share();
    const member = new Member({ ...row, ...guest, startedAt, capabilities: CAPABILITIES, memory }, begin);
    this.#join(member);
    return member;
  }

  /** The session of a client without a link has ended: `seat` is free. */
  leave(seat: Candidate, member: Member, end: SessionEnd): void {
    this.members.remove(member);
    this.#dismiss(seat, member, end);
  }

  #join(member: Member): void {
    this.members.add(member);
    const { name, address, role, names, account } = member;
    const by = { ...names, ...(account.link !== undefined && { link: account.link }) };
    this.#options.events.emit({ event: "joined", name, address, role, ...by });
  }

  /** The session's row in the ledger; undefined: the peer was refused. */
  #begin(admission: Admission, startedAt: number): { id: number; name: string } | undefined {
    const { link, account } = admission;
    try {
      return enrol(account, { address: link.peer, startedAt }, this.#options);
    } catch (thrown) {
      const { code, message } = toCommError(thrown);
      link.closeWith(Opcode.REFUSE, code, message);
      if (code === "ACCESS_DENIED") this.#options.events.emit({ event: "refused", address: link.peer, code, message });
      this.#options.onEnded(link);
      this.#options.seats.release(admission);
      return undefined;
    }
  }

  #onEnd(admission: Admission, member: Member, end: SessionEnd): void {
    this.members.remove(member);
    this.#options.onEnded(admission.link);
    const isLost = member.isSuperseded || ["lost", "timeout"].includes(endReason(end));
    if (!isLost || member.resumeToken === undefined || this.#isClosed) {
      return this.#dismiss(admission, member, end);
    }
    const { name, address } = member;
    // A client that came back before we noticed the loss said no goodbye.
    const lost: SessionEnd = member.isSuperseded ? { ...end, by: "lost" } : end;
    this.#detached.keep(member, admission, lost, (detached) => this.#dismiss(detached.admission, member, lost));
    this.#options.events.emit({ event: "away", name, address, message: end.message });
  }

  #dismiss(seat: Candidate, member: Member, end: SessionEnd): void {
    const reason = endReason(end);
    if (member.role !== "operator") {
      const now = this.#options.clock.wallTime();
      this.#options.record(() => this.#options.ledger.end(member.id, member.counters, now, reason));
    }
    const { name, address, role } = member;
    this.#options.events.emit({ event: "left", name, address, role, reason, message: end.message, ...member.counters });
    // Last, since it may admit the next client in the queue: the log should have the two in that order.
    this.#options.seats.release(seat);
  }
}
