import { CommError, type ErrorCode } from "../errors.ts";
import type { ServerEvent } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { PeerAddress } from "../session/transport.ts";
import { type Account, isSameAccount } from "./access/account.ts";
import type { Bandwidth } from "./bandwidth.ts";
import { GuestSession } from "./guest-session.ts";
import type { Member } from "./member.ts";
import { Refusals, type Refused } from "./refusals.ts";
import { type Candidate, CROWDED, FULL, type Seats } from "./seats.ts";
import type { Sessions } from "./sessions.ts";

/** How long a seat is kept for the next request. */
export const GRACE_MS = 5_000;

/**
 * The most transfers of one guest that move at once. A download manager opens 16 connections for a file, of which only
 * a few move.
 */
export const MAX_GUEST_TRANSFERS = 64;

export interface GuestsOptions {
  readonly clock: Clock;
  readonly seats: Seats;
  readonly sessions: Sessions;
  readonly bandwidth: Bandwidth;
  emit(event: ServerEvent): void;
  /** As AdmissionHost. */
  closedFor(): { code: ErrorCode; message: string } | undefined;
}

/** A client without a link, and its session. */
export interface Guest {
  readonly member: Member;
  readonly session: GuestSession;
}

/**
 * Clients without a link of their own. All clients with one token or one link are one guest: one seat, one row in the
 * ledger, one set of limits. Without either, all clients from one address are one guest.
 */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #guests = new Map<string, Guest>();
  /** Of all of them, also of those in whose place another of the same token has come. */
  readonly #open = new Set<GuestSession>();
  readonly #refusals: Refusals;

  constructor(options: GuestsOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.clock, options.emit);
  }

  /**
   * The guest of `account`, which gets a seat if it has none yet. `peer` is its address, as people see it.
   *
   * @throws CommError SHUTDOWN, SERVER_FULL, TOO_MANY_SESSIONS; as enrol()
   */
  enter(account: Account, peer: string, { group }: PeerAddress): Guest {
    const by = account.link === undefined ? account.token : `link ${account.link}`;
    const key = by === undefined ? group : `by ${by}`;
    const known = this.#guests.get(key);
    // Another token of that name may have another role, and other limits.
    if (known !== undefined && isSameAccount(known.member.account, account)) return known;
    const closed = this.#options.closedFor();
    if (closed !== undefined) throw new CommError(closed.code, closed.message);
    const party = by === undefined ? group : `${group} ${by}`;
    const seat: Candidate = { party, onSeated() {}, onPosition() {}, onDisplaced() {} };
    const outcome = this.#options.seats.request(seat, false);
    if (outcome === "full") throw new CommError("SERVER_FULL", FULL);
    if (outcome === "crowded") throw new CommError("TOO_MANY_SESSIONS", CROWDED);
    return this.#admit(key, seat, account, peer);
  }

  /** A client was refused before it was identified. */
  noteRefused(refused: Refused): void {
    this.#refusals.note(refused);
  }

  /** Report the refusals that were not reported yet. */
  flush(): void {
    this.#refusals.flush();
  }

  /** End all of them at once. */
  abort(): void {
    for (const session of [...this.#open]) session.terminate("SHUTDOWN", "The server stops at once.");
  }

  #admit(key: string, seat: Candidate, account: Account, peer: string): Guest {
    const { clock, sessions, bandwidth } = this.#options;
    const session = new GuestSession({
      clock,
      graceMs: GRACE_MS,
      rateLimit: bandwidth.limit("out"),
      inboundLimit: bandwidth.limit("in"),
      onEnd: (end) => {
        this.#open.delete(session);
        if (this.#guests.get(key)?.session === session) this.#guests.delete(key);
        sessions.leave(seat, guest.member, end);
      },
    });
    const guest: Guest = { member: this.#enroll(seat, account, peer, session), session };
    this.#guests.set(key, guest);
    this.#open.add(session);
    return guest;
  }

  #enroll(seat: Candidate, account: Account, address: string, session: GuestSession): Member {
    const { seats, sessions } = this.#options;
    try {
      return sessions.enrollGuest({ account, address, maxTransfers: MAX_GUEST_TRANSFERS }, () => session);
    } catch (thrown) {
      session.abandon();
      seats.release(seat);
      throw thrown;
    }
  }
}
