import { describe, expect, test } from "bun:test";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import type { MemoryLimits } from "../../../lib/server/memory-limits.ts";
import type { Reservation } from "../../../lib/server/memory-share.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const LIMITS = { bytes: 100, sessionBytes: 40, firstBytes: 10 };
const budgetOf = (limits: MemoryLimits) => new MemoryBudget(limits, new FakeClock());
const nobody = { moved: 0, isWaiting: false, isResumable: false, yield() {}, end() {} };
const never = new Promise<never>(() => {});

/** What has been granted so far, in order. */
function wait(share: ReturnType<MemoryBudget["share"]>, least: number, most = least, until: Promise<unknown> = never) {
  const outcome: { grant?: Reservation | undefined; isSettled: boolean } = { isSettled: false };
  void share.reserve({ least, most }, nobody, until).then((grant) => {
    outcome.grant = grant;
    outcome.isSettled = true;
  });
  return outcome;
}

describe("a memory budget", () => {
  test("gives a session its share and no more", () => {
    const share = budgetOf(LIMITS).share();
    const all = share.tryReserve(40);
    expect(all?.bytes).toBe(40);
    expect(share.tryReserve(1)).toBeUndefined();
    all?.release();
    all?.release();
    expect(share.used).toBe(0);
  });

  test("keeps a half of all for the first bytes of each session", () => {
    const budget = budgetOf(LIMITS);
    const [one, two, three] = [budget.share(), budget.share(), budget.share()];
    expect(one.tryReserve(40)).toBeDefined();
    expect(two.tryReserve(11)).toBeUndefined();
    expect(two.tryReserve(10)).toBeDefined();
    expect(two.tryReserve(1)).toBeUndefined();
    expect(three.tryReserve(10)).toBeDefined();
    expect(budget.used).toBe(60);
  });

  test("lets a reservation grow where there is room, and changes nothing where there is none", () => {
    const share = budgetOf(LIMITS).share();
    const kept = share.tryReserve(10);
    expect(kept?.resize(30)).toBeTrue();
    expect(kept?.resize(41)).toBeFalse();
    expect([kept?.bytes, share.used]).toEqual([30, 30]);
    expect(kept?.resize(5)).toBeTrue();
    expect(share.used).toBe(5);
  });

  test("is generous while half of it is free, and lean after that", async () => {
    const budget = budgetOf(LIMITS);
    const waiting = [1, 2, 3].map(() => wait(budget.share(), 5, 30));
    await settle();
    expect(waiting.map(({ grant }) => grant?.bytes)).toEqual([30, 5, 5]);
  });

  test("lets those who wait in, in order, as room is given back", async () => {
    const budget = budgetOf({ bytes: 20, sessionBytes: 20, firstBytes: 20 });
    const first = budget.share().tryReserve(20);
    const waiting = [1, 2, 3].map(() => wait(budget.share(), 10));
    await settle();
    expect(waiting.map(({ isSettled }) => isSettled)).toEqual([false, false, false]);
    first?.release();
    await settle();
    expect(waiting.map(({ isSettled }) => isSettled)).toEqual([true, true, false]);
    waiting[0]?.grant?.release();
    await settle();
    expect(waiting[2]?.grant?.bytes).toBe(10);
  });

  test("serves those with little before those with much", async () => {
    const budget = budgetOf(LIMITS);
    const [rich, poor] = [budget.share(), budget.share()];
    const kept = rich.tryReserve(30);
    const others = [1, 2, 3, 4, 5, 6, 7].map(() => budget.share().tryReserve(10));
    expect(budget.used).toBe(100);
    const more = wait(rich, 10);
    const late = wait(poor, 10);
    others[0]?.release();
    await settle();
    expect([late.isSettled, more.isSettled]).toEqual([true, false]);
    for (const reservation of others) reservation?.release();
    kept?.release();
    await settle();
    expect(more.isSettled).toBeTrue();
  });

  test("lets sessions in by turns, however many of their own each has waiting", async () => {
    const budget = budgetOf({ bytes: 10, sessionBytes: 10, firstBytes: 10 });
    const [greedy, modest] = [budget.share(), budget.share()];
    const order: string[] = [];
    const queue = (share: typeof greedy, name: string) =>
      void share.reserve({ least: 10, most: 10 }, nobody, never).then((grant) => {
        order.push(name);
        // Held for a moment, so that who waits next is chosen anew.
        void settle().then(() => grant?.release());
      });
    for (let count = 0; count < 5; count++) queue(greedy, "greedy");
    for (let count = 0; count < 2; count++) queue(modest, "modest");
    for (let turn = 0; turn < 10; turn++) await settle();
    expect(order).toEqual(["greedy", "modest", "greedy", "modest", "greedy", "greedy", "greedy"]);
  });

  test("does not let the small pass a large one for ever", async () => {
    const budget = budgetOf({ bytes: 20, sessionBytes: 20, firstBytes: 20 });
    const kept = budget.share().tryReserve(15);
    const large = wait(budget.share(), 10);
    const small = wait(budget.share(), 1);
    await settle();
    expect(small.isSettled).toBeFalse();
    kept?.release();
    await settle();
    expect([large.isSettled, small.isSettled]).toEqual([true, true]);
  });

  test("forgets a need whose work has ended, and serves those after it", async () => {
    const budget = budgetOf({ bytes: 20, sessionBytes: 20, firstBytes: 20 });
    budget.share().tryReserve(15);
    const ended = Promise.withResolvers<void>();
    const gone = wait(budget.share(), 10, 10, ended.promise);
    const next = wait(budget.share(), 5);
    ended.resolve();
    await settle();
    expect([gone.isSettled, gone.grant]).toEqual([true, undefined]);
    expect(next.grant?.bytes).toBe(5);
    expect([budget.waiting, budget.used]).toEqual([0, 20]);
  });

  test("a session that has its share does not stop the others", async () => {
    const budget = budgetOf(LIMITS);
    const full = budget.share();
    const kept = full.tryReserve(40);
    const own = wait(full, 5);
    const other = wait(budget.share(), 5);
    await settle();
    expect([own.isSettled, other.isSettled]).toEqual([false, true]);
    kept?.resize(30);
    await settle();
    expect(own.isSettled).toBeTrue();
  });

  test("takes nothing from others for a need that has not waited for five seconds yet", async () => {
    const clock = new FakeClock();
    const budget = new MemoryBudget(LIMITS, clock);
    const yielded: number[] = [];
    const grants: (Reservation | undefined)[] = [];
    const giveBack = (each: number) => {
      yielded.push(each);
      grants[each]?.release();
    };
    for (let each = 0; each < 10; each++) {
      const holder = { ...nobody, isWaiting: true, yield: () => giveBack(each) };
      grants.push(await budget.share().reserve({ least: 10, most: 10 }, holder, never));
    }
    const first = wait(budget.share(), 10);
    await clock.advance(5_000);
    expect([yielded, first.isSettled]).toEqual([[0], true]);
    await clock.advance(500);
    const second = wait(budget.share(), 10);
    await clock.advance(4_999);
    expect([yielded, second.isSettled]).toEqual([[0], false]);
    await clock.advance(1_000);
    expect([yielded, second.isSettled]).toEqual([[0, 1], true]);
  });
});
