/** What a server does by itself from time to time, by its clock alone. */
import { describe, expect, test } from "bun:test";
import { CommError } from "../../../lib/errors.ts";
import type { ServerEvent } from "../../../lib/protocol/methods.ts";
import { STALE_MS } from "../../../lib/server/cleaning.ts";
import { Member } from "../../../lib/server/member.ts";
import type { MemberSession } from "../../../lib/server/member-session.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import { Upkeep, type UpkeepOptions } from "../../../lib/server/upkeep.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A clock on which each look at it takes 3 ms, so that every piece of work has used up its turn. */
class SlowClock extends FakeClock {
  /** Called when others get their turn. */
  onTurn = () => {};
  override now(): number {
    this.stall(3);
    return super.now();
  }
  override turn(): Promise<void> {
    this.onTurn();
    return super.turn();
  }
}

class Site {
  readonly clock: FakeClock;
  /** Ids of each batch of rows that was written, and their bytes. */
  readonly rows: { id: number; bytesIn: number }[][] = [];
  readonly closings: number[] = [];
  /** Sessions that a crash has left open. */
  crashed = 0;
  readonly cleanings: number[] = [];
  readonly events: ServerEvent[] = [];
  readonly clients: Member[] = [];
  readonly ended: string[] = [];
  expelled = 0;
  swept = 0;
  nextExpiry: number | undefined;
  failure: CommError | undefined;

  constructor(clock = new FakeClock()) {
    this.clock = clock;
  }

  start(options: Partial<UpkeepOptions> = {}): Upkeep {
    const { clock, cleanings } = this;
    const site = this;
    return new Upkeep({
      clock,
      ledger: {
        checkpoint: (live) => void site.rows.push([...live].map(({ id, bytesIn }) => ({ id, bytesIn }))),
        closeCrashed(limit) {
          site.closings.push(limit);
          site.crashed = Math.max(0, site.crashed - limit);
          return site.crashed > 0;
        },
      },
      storage: {
        async *unfinished() {
          cleanings.push(clock.wallTime());
          if (site.failure !== undefined) throw site.failure;
          yield { path: "old", size: 5, modifiedAt: clock.wallTime() - STALE_MS };
          yield { path: "new", size: 6, modifiedAt: clock.wallTime() - STALE_MS + 1 };
          yield { path: "taken", size: 7, modifiedAt: 0 };
        },
        removeUnfinished: async (path) => path !== "taken",
      },
      members: {
        get clients() {
          return [...site.clients];
        },
      },
      events: { emit: (event) => void site.events.push(event) },
      access: {
        get nextExpiry() {
          return site.nextExpiry;
        },
      },
      writable: false,
      idleMs: undefined,
      record: (write) => write(),
      sweep: () => {
        site.swept++;
      },
      expel: () => {
        site.expelled++;
      },
      ...options,
    });
  }

  /** One more client, which is idle since `idleSince`. */
  client(idleSince?: number): Member {
    const id = this.clients.length + 1;
    const name = `Client${id}`;
    const session = {
      bytesIn: 10 * id,
      bytesOut: 0,
      idleSince,
      terminate: (code: string, message: string) => void this.ended.push(`${name} ${code} ${message}`),
    } as unknown as MemberSession;
    const memory = new MemoryBudget(memoryLimits(1), this.clock).share();
    const account = { role: "read", token: undefined } as const;
    const facts = { id, name, account, address: "memory", startedAt: 0, capabilities: [], memory };
    const member = new Member(facts, () => session);
    this.clients.push(member);
    return member;
  }
}

describe("the counters of live sessions", () => {
  test("are saved every 30 seconds, for all present sessions", async () => {
    const site = new Site();
    site.start();
    // Nobody is there yet.
    await site.clock.advance(30_000);
    site.client();
    await site.clock.advance(29_999);
    expect(site.rows).toEqual([]);
    await site.clock.advance(1);
    expect(site.rows).toEqual([[{ id: 1, bytesIn: 10 }]]);
    site.client();
    await site.clock.advance(30_000);
    expect(site.rows.at(-1)).toEqual([
      { id: 1, bytesIn: 10 },
      { id: 2, bytesIn: 20 },
    ]);
    expect(site.rows).toHaveLength(2);
  });

  test("are saved 250 at a time, and others have their turn in between", async () => {
    const site = new Site(new SlowClock());
    for (let each = 0; each < 600; each++) site.client();
    site.start();
    const clock = site.clock as SlowClock;
    const written: number[] = [];
    clock.onTurn = () => written.push(site.rows.length);
    await clock.advance(30_000);
    await settle();
    expect(written.slice(-3)).toEqual([1, 2, 3]);
    expect(site.rows.map((rows) => rows.length)).toEqual([250, 250, 100]);
    expect(site.rows.flat().map(({ id }) => id)).toEqual(site.clients.map(({ id }) => id));
  });

  test("are saved again 30 seconds after a time when the ledger could not be written", async () => {
    const site = new Site();
    site.client();
    let failures = 0;
    site.start({ record: () => void failures++ });
    await site.clock.advance(90_000);
    // At the start the sessions of a crash are closed.
    expect(failures).toBe(1 + 3);
  });

  test("are not saved any more once it is stopped, not even the rest of those that are being saved", async () => {
    const site = new Site(new SlowClock());
    for (let each = 0; each < 600; each++) site.client();
    let upkeep: Upkeep | undefined;
    upkeep = site.start({
      record(write) {
        write();
        if (site.rows.length === 1) upkeep?.stop();
      },
    });
    await site.clock.advance(10 * MINUTE);
    expect(site.rows).toHaveLength(1);
    expect(site.clock.pending).toBe(0);
  });
});

describe("the sessions that a crash left open", () => {
  test("are closed at the start, 250 at a time, until none is left", async () => {
    const site = new Site(new SlowClock());
    site.crashed = 600;
    const closed: number[] = [];
    (site.clock as SlowClock).onTurn = () => closed.push(site.closings.length);
    site.start();
    await settle();
    expect(site.closings).toEqual([250, 250, 250]);
    expect(closed).toEqual([1, 2, 3]);
  });

  test("are left to the next start when it is stopped meanwhile, or the ledger can't be written", async () => {
    const site = new Site(new SlowClock());
    site.crashed = 6_000;
    const upkeep = site.start();
    upkeep.stop();
    await settle();
    expect(site.closings).toEqual([250]);

    const other = new Site();
    let tries = 0;
    other.start({ record: () => void tries++ });
    await settle();
    expect(tries).toBe(1);
  });
});

describe("idle sessions", () => {
  test("are ended within ten seconds after their time is over, whenever it began", async () => {
    const site = new Site();
    site.start({ idleMs: 2 * MINUTE });
    await site.clock.advance(5_001);
    site.client(site.clock.now());
    site.client();
    await site.clock.advance(2 * MINUTE - 1);
    expect(site.ended).toEqual([]);
    await site.clock.advance(10_000);
    expect(site.ended).toEqual(["Client1 IDLE_TIMEOUT The client made no request for 120 s."]);
  });

  test("whose time is short are looked for as often", async () => {
    const site = new Site();
    site.start({ idleMs: 2_000 });
    site.client(site.clock.now());
    await site.clock.advance(2_000);
    expect(site.ended).toHaveLength(1);
    site.clients.splice(0);
    site.client(site.clock.now());
    await site.clock.advance(4_000);
    expect(site.ended.length).toBeGreaterThan(1);
  });

  test("are let be without a limit", async () => {
    const site = new Site();
    site.client(0);
    site.start();
    await site.clock.advance(DAY);
    expect(site.ended).toEqual([]);
  });
});

describe("unfinished files that were not touched for a week", () => {
  test("are removed at the start and every day, and each is reported that was removed", async () => {
    const site = new Site();
    site.start({ writable: true });
    await site.clock.advance(0);
    expect(site.events).toEqual([{ event: "cleaned", path: "old", size: 5 }]);
    await site.clock.advance(DAY - 1);
    expect(site.cleanings).toHaveLength(1);
    await site.clock.advance(1);
    expect(site.cleanings).toHaveLength(2);
    await site.clock.advance(DAY);
    expect(site.cleanings).toHaveLength(3);
  });

  test("that can't be listed are a warning, and are tried again the next day", async () => {
    const site = new Site();
    site.failure = new CommError("INTERNAL", "The disk is on fire.");
    site.start({ writable: true });
    await site.clock.advance(0);
    const message = "Unfinished files can't be cleaned: The disk is on fire.";
    expect(site.events).toEqual([{ event: "warning", message }]);
    await site.clock.advance(DAY);
    expect(site.cleanings).toHaveLength(2);
  });

  test("are let be where nothing may be written", async () => {
    const site = new Site();
    site.start();
    await site.clock.advance(2 * DAY);
    expect(site.cleanings).toEqual([]);
  });
});

describe("tokens that expire", () => {
  test("are looked for at the start, at the next expiry, and every hour until then", async () => {
    const site = new Site();
    site.nextExpiry = site.clock.wallTime() + 150 * MINUTE;
    site.start();
    expect(site.expelled).toBe(1);
    await site.clock.advance(60 * MINUTE - 1);
    expect(site.expelled).toBe(1);
    await site.clock.advance(1);
    expect(site.expelled).toBe(2);
    await site.clock.advance(60 * MINUTE);
    expect(site.expelled).toBe(3);
    await site.clock.advance(30 * MINUTE - 1);
    expect(site.expelled).toBe(3);
    site.nextExpiry = undefined;
    await site.clock.advance(1);
    expect(site.expelled).toBe(4);
    await site.clock.advance(DAY);
    expect(site.expelled).toBe(4);
  });

  test("are looked for when one was made, by one timer", async () => {
    const site = new Site();
    const upkeep = site.start();
    const before = site.clock.pending;
    site.nextExpiry = site.clock.wallTime() + MINUTE;
    upkeep.watchExpiry();
    upkeep.watchExpiry();
    expect([site.expelled, site.clock.pending]).toEqual([3, before + 1]);
  });
});

test("old messages are looked for every hour", async () => {
  const site = new Site();
  const upkeep = site.start();
  await site.clock.advance(60 * MINUTE - 1);
  expect(site.swept).toBe(0);
  await site.clock.advance(1);
  expect(site.swept).toBe(1);
  await site.clock.advance(120 * MINUTE);
  expect(site.swept).toBe(3);
  upkeep.stop();
});

test("no timer is left when it is stopped", async () => {
  const site = new Site();
  site.nextExpiry = site.clock.wallTime() + DAY;
  const upkeep = site.start({ writable: true, idleMs: MINUTE });
  await site.clock.advance(2 * MINUTE);
  expect(site.clock.pending).toBe(5);
  upkeep.stop();
  expect(site.clock.pending).toBe(0);
  await site.clock.advance(2 * DAY);
  expect([site.cleanings.length, site.expelled]).toEqual([1, 1]);
});
