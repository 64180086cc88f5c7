import { describe, expect, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import type { ServerEvent } from "../../../lib/protocol/methods.ts";
import type { Account } from "../../../lib/server/access/account.ts";
import { Bandwidth } from "../../../lib/server/bandwidth.ts";
import { GRACE_MS, Guests, MAX_GUEST_TRANSFERS } from "../../../lib/server/guests.ts";
import { Member, type MemberOptions } from "../../../lib/server/member.ts";
import type { MemberSession } from "../../../lib/server/member-session.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import { type Candidate, Seats } from "../../../lib/server/seats.ts";
import type { Sessions } from "../../../lib/server/sessions.ts";
import type { SessionEnd } from "../../../lib/session/session-end.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { codeOf, faultOf } from "../../support/fault.ts";

const [HERE, THERE] = [
  { group: "192.0.2.1", isLoopback: false },
  { group: "192.0.2.2", isLoopback: false },
];
const anybody: Account = { role: "read", token: undefined };
const holder = (token: string, role: Account["role"] = "read"): Account => ({ role, token });
const request = { bytesIn: 0, bytesOut: 0, end() {} };

class Site {
  readonly clock = new FakeClock();
  readonly seats: Seats;
  readonly left: string[] = [];
  readonly events: ServerEvent[] = [];
  readonly maxTransfers: (number | undefined)[] = [];
  readonly guests: Guests;
  closed: { code: "SHUTDOWN"; message: string } | undefined;
  ledgerFailure: CommError | undefined;
  #names = 0;

  constructor({ max = 2, maxPerParty = 10 } = {}) {
    const { clock } = this;
    this.seats = new Seats({ max, maxWaiting: 5, maxPerParty });
    const sessions: Pick<Sessions, "enrollGuest" | "leave"> = {
      enrollGuest: (guest, begin) => this.#enroll(guest, begin),
      leave: (seat: Candidate, member: Member, { code }: SessionEnd) => {
        this.left.push(`${member.name} ${code}`);
        this.seats.release(seat);
      },
    };
    this.guests = new Guests({
      clock,
      seats: this.seats,
      sessions: sessions as Sessions,
      bandwidth: new Bandwidth({ perSession: undefined, total: undefined }, clock),
      emit: (event) => void this.events.push(event),
      closedFor: () => this.closed,
    });
  }

  #enroll(
    guest: Pick<MemberOptions, "account" | "address" | "maxTransfers">,
    begin: (member: Member) => MemberSession,
  ): Member {
    if (this.ledgerFailure !== undefined) throw this.ledgerFailure;
    this.maxTransfers.push(guest.maxTransfers);
    const memory = new MemoryBudget(memoryLimits(1), this.clock).share();
    const id = ++this.#names;
    return new Member({ ...guest, id, name: `Client${id}`, startedAt: 0, capabilities: [], memory }, begin);
  }

  enter(account: Account = anybody, from = HERE): string {
    return this.guests.enter(account, `${from.group}:1`, from).member.name;
  }
}

describe("clients without a link", () => {
  test("from one address, without a token, are one guest with one seat; those from another are another", () => {
    const site = new Site();
    expect([site.enter(), site.enter(), site.enter(anybody, THERE)]).toEqual(["Client1", "Client1", "Client2"]);
    expect([site.seats.taken, site.maxTransfers]).toEqual([2, [MAX_GUEST_TRANSFERS, MAX_GUEST_TRANSFERS]]);
  });

  test("with one token are one guest wherever they are; another token is another guest", () => {
    const site = new Site();
    const names = [site.enter(holder("a")), site.enter(holder("a"), THERE), site.enter(holder("b"))];
    expect(names).toEqual(["Client1", "Client1", "Client2"]);
  });

  test("keep their seat for the grace time after their last request, and are a new guest afterwards", async () => {
    const site = new Site();
    const { session } = site.guests.enter(anybody, "192.0.2.1:1", HERE);
    const over = session.begin(request);
    await site.clock.advance(10 * GRACE_MS);
    over();
    await site.clock.advance(GRACE_MS - 1);
    expect([site.enter(), site.left]).toEqual(["Client1", []]);
    await site.clock.advance(1);
    expect([site.left, site.seats.taken]).toEqual([["Client1 OK"], 0]);
    expect(site.enter()).toBe("Client2");
  });

  test("whose token has another role by now are another guest, who outlives the end of the one before", async () => {
    const site = new Site();
    site.enter(holder("a"));
    await site.clock.advance(1_000);
    expect(site.enter(holder("a", "write"))).toBe("Client2");
    await site.clock.advance(GRACE_MS - 1_000);
    expect(site.left).toEqual(["Client1 OK"]);
    expect(site.enter(holder("a", "write"))).toBe("Client2");
  });

  test("are refused without a seat, above what one address may have, and by a server that admits nobody", async () => {
    const site = new Site({ max: 2, maxPerParty: 1 });
    site.enter(holder("a"));
    site.enter(holder("a", "write"), THERE);
    expect(await codeOf(() => site.enter())).toBe("SERVER_FULL");
    const crowded = new Site({ max: 2, maxPerParty: 1 });
    crowded.enter(holder("a"));
    expect(await codeOf(() => crowded.enter(holder("a", "write")))).toBe("TOO_MANY_SESSIONS");
    site.closed = { code: "SHUTDOWN", message: "bye" };
    expect(await faultOf(() => site.enter())).toMatchObject({ code: "SHUTDOWN", message: "bye" });
    // Who has a seat keeps it.
    expect(site.enter(holder("a", "write"))).toBe("Client2");
  });

  test("are refused when they can't be enrolled: their seat is free again, and no timer is left", async () => {
    const site = new Site();
    site.ledgerFailure = new CommError("UNAVAILABLE", "no ledger");
    expect(await codeOf(() => site.enter())).toBe("UNAVAILABLE");
    expect([site.seats.taken, site.clock.pending]).toEqual([0, 0]);
    site.ledgerFailure = undefined;
    expect(site.enter()).toBe("Client1");
  });

  test("whose token has another role by now end as well when the server is aborted", () => {
    const site = new Site();
    const [reader, writer] = (["read", "write"] as const).map((role) =>
      site.guests.enter(holder("web", role), "192.0.2.1:1", HERE),
    );
    const ended: string[] = [];
    reader?.session.begin({ ...request, end: (code) => void ended.push(`reader ${code}`) });
    writer?.session.begin({ ...request, end: (code) => void ended.push(`writer ${code}`) });
    site.guests.abort();
    expect(ended).toEqual(["reader SHUTDOWN", "writer SHUTDOWN"]);
  });

  test("all end at once when the server is aborted", () => {
    const site = new Site();
    site.enter();
    site.enter(holder("a"));
    site.guests.abort();
    expect([site.left, site.seats.taken]).toEqual([["Client1 SHUTDOWN", "Client2 SHUTDOWN"], 0]);
  });
});

test("refusals are reported one by one at first, and counted ones on flush()", () => {
  const site = new Site();
  for (let each = 0; each < 15; each++) {
    site.guests.noteRefused({ address: "192.0.2.1:1", group: "192.0.2.1", code: "ACCESS_DENIED", message: "no" });
  }
  expect(site.events).toHaveLength(10);
  site.guests.flush();
  expect(site.events.at(-1)).toMatchObject({ event: "refused", code: "ACCESS_DENIED", count: 5 });
});
