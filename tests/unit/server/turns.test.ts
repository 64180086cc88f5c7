import { describe, expect, test } from "bun:test";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import type { Reservation } from "../../../lib/server/memory-share.ts";
import { Turns } from "../../../lib/server/turns.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const NEED = { least: 1, most: 1 };

/** A stream as turns see it, which the test closes. */
class Caller {
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;
  isClosed = false;
  moved = 0;
  isWaiting = false;
  /** Codes of the resets that it got. */
  readonly resets: string[] = [];

  reset(code: string): void {
    this.resets.push(code);
    this.close();
  }

  close(): void {
    this.isClosed = true;
    this.#closed.resolve();
  }
}

/** Turns whose work lasts until it is told to end. */
function site(max: number, bytes = 100, clock = new FakeClock()) {
  const budget = new MemoryBudget({ bytes, sessionBytes: bytes, firstBytes: bytes }, clock);
  const stuck: string[] = [];
  const turns = new Turns(budget.share(), { max, isResumable: true, onStuck: () => stuck.push("stuck") });
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const over: string[] = [];
  const run = (name: string, caller = new Caller()) => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    const work = () => {
      begun.push(name);
      return end.promise;
    };
    void turns.run(caller, NEED, work).then(
      () => over.push(name),
      () => over.push(`${name} failed`),
    );
    return caller;
  };
  return { stuck, budget, turns, begun, over, run, ends };
}

describe("turns", () => {
  test("are taken by a limited number at once, and by the rest in order", async () => {
    const { begun, run, ends, turns } = site(2);
    for (const name of ["a", "b", "c", "d"]) run(name);
    await settle();
    expect([begun, turns.waiting]).toEqual([["a", "b"], 2]);
    ends.get("b")?.resolve();
    await settle();
    expect(begun).toEqual(["a", "b", "c"]);
    ends.get("a")?.reject(new Error("failed"));
    await settle();
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("are not given to callers that have left meanwhile: no work begins for a closed stream", async () => {
    const { begun, over, run, ends, budget, turns } = site(1);
    run("a");
    const gone = run("b");
    run("c");
    await settle();
    gone.close();
    await settle();
    expect([over, turns.waiting]).toEqual([["b"], 1]);
    ends.get("a")?.resolve();
    await settle();
    expect([begun, budget.used]).toEqual([["a", "c"], 1]);
  });

  test("that wait for memory end with their stream, too, and leave nothing reserved", async () => {
    const { begun, over, run, ends, budget } = site(2, 1);
    run("a");
    const gone = run("b");
    await settle();
    expect([begun, budget.waiting]).toEqual([["a"], 1]);
    gone.close();
    await settle();
    expect([over, budget.waiting]).toEqual([["b"], 0]);
    ends.get("a")?.resolve();
    await settle();
    expect([begun, budget.used]).toEqual([["a"], 0]);
  });

  test("are not begun for a stream that was closed before, or at the very moment of its turn", async () => {
    const { begun, over, run, ends } = site(1);
    const closed = new Caller();
    closed.close();
    run("a", closed);
    await settle();
    run("b");
    const late = run("c");
    await settle();
    ends.get("b")?.resolve();
    void ends.get("b")?.promise.then(() => late.close());
    await settle();
    expect(begun).toEqual(["b"]);
    expect(over.toSorted()).toEqual(["a", "b", "c"]);
  });

  test("of a new link wait for the work of the one before it", async () => {
    const { begun, run, ends, turns } = site(2);
    run("old");
    await settle();
    turns.renew();
    run("new");
    await settle();
    expect(begun).toEqual(["old"]);
    ends.get("old")?.reject(new Error("lost"));
    await settle();
    expect(begun).toEqual(["old", "new"]);
  });
});

describe("a turn that others wait for", () => {
  /** One that has the only room there is, of a session of its own, and one that waits for it. */
  async function crowd() {
    const clock = new FakeClock();
    const budget = new MemoryBudget({ bytes: 10, sessionBytes: 10, firstBytes: 10 }, clock);
    let stuck = 0;
    const options = { max: 4, isResumable: true, onStuck: () => stuck++ };
    const [first, second] = [new Caller(), new Caller()];
    const begun: string[] = [];
    const end = Promise.withResolvers<void>();
    let grant: Reservation | undefined;
    const need = { least: 10, most: 10 };
    void new Turns(budget.share(), options).run(first, need, (given) => {
      grant = given;
      return end.promise;
    });
    await settle();
    void new Turns(budget.share(), options).run(second, need, async () => void begun.push("second"));
    await settle();
    return { clock, first, second, begun, end, grant: grant as Reservation, stuck: () => stuck };
  }

  test("is ended when its peer has moved nothing for five seconds of waiting, and not before", async () => {
    const { clock, first, begun, end } = await crowd();
    first.isWaiting = true;
    await clock.advance(4_900);
    expect(first.resets).toEqual([]);
    await clock.advance(1_200);
    expect([first.resets, begun]).toEqual([["CROWDED"], []]);
    end.resolve();
    await settle();
    expect(begun).toEqual(["second"]);
    expect(clock.pending).toBe(1);
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  test("goes on for a minute while something moves, however little, and is ended then", async () => {
    const { clock, first } = await crowd();
    first.isWaiting = true;
    for (let second = 0; second < 59; second++) {
      first.moved++;
      await clock.advance(1_000);
    }
    expect(first.resets).toEqual([]);
    first.moved++;
    await clock.advance(2_000);
    expect(first.resets).toEqual(["CROWDED"]);
  });

  test.each(["its own work", "the work that it tells of"])("is not taken for idle while %s goes on", async (what) => {
    const { clock, first, grant } = await crowd();
    if (what !== "its own work") {
      first.isWaiting = true;
      grant.isAtWork = () => true;
    }
    await clock.advance(50_000);
    expect(first.resets).toEqual([]);
  });

  test("whose memory can't be had all the same costs its session", async () => {
    const { clock, first, stuck } = await crowd();
    first.isWaiting = true;
    await clock.advance(6_500);
    expect([first.resets.length, stuck()]).toEqual([1, 0]);
    await clock.advance(3_000);
    expect([first.resets.length, stuck()]).toEqual([1, 1]);
  });

  test("is left alone when nobody waits any more", async () => {
    const { clock, first, second } = await crowd();
    first.isWaiting = true;
    await clock.advance(4_000);
    second.close();
    await settle();
    await clock.advance(100_000);
    expect([first.resets, clock.pending]).toEqual([[], 0]);
  });

  test("is not ended for one that waits for its own session's", async () => {
    const clock = new FakeClock();
    const budget = new MemoryBudget({ bytes: 100, sessionBytes: 10, firstBytes: 10 }, clock);
    const turns = new Turns(budget.share(), { max: 4, isResumable: true, onStuck() {} });
    const first = new Caller();
    first.isWaiting = true;
    const need = { least: 10, most: 10 };
    void turns.run(first, need, () => new Promise(() => {}));
    void turns.run(new Caller(), need, async () => {});
    await settle();
    await clock.advance(200_000);
    expect(first.resets).toEqual([]);
  });

  test("of those that move nothing no more are ended than others have need of", async () => {
    const clock = new FakeClock();
    const budget = new MemoryBudget({ bytes: 40, sessionBytes: 10, firstBytes: 10 }, clock);
    const options = { max: 4, isResumable: true, onStuck() {} };
    const callers = Array.from({ length: 4 }, () => Object.assign(new Caller(), { isWaiting: true }));
    const need = { least: 10, most: 10 };
    for (const caller of callers) void new Turns(budget.share(), options).run(caller, need, () => caller.closed);
    await settle();
    let begun = 0;
    for (let count = 0; count < 2; count++) {
      void new Turns(budget.share(), options).run(new Caller(), need, async () => void begun++);
    }
    await settle();
    await clock.advance(15_000);
    expect([callers.filter(({ resets }) => resets.length > 0).length, begun]).toEqual([2, 2]);
  });
});
