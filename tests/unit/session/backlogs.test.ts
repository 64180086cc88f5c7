import { describe, expect, test } from "bun:test";
import { Backlogs } from "../../../lib/session/backlogs.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

describe("Backlogs", () => {
  test("are worked on later, each in its turn, again and again while there is more", async () => {
    const backlogs = new Backlogs(new FakeClock());
    const order: string[] = [];
    const work = (name: string, rounds: number) => () => {
      order.push(name);
      if (rounds > 1) backlogs.add(work(name, rounds - 1));
    };
    backlogs.add(work("a", 3));
    backlogs.add(work("b", 1));
    backlogs.add(work("c", 2));
    expect(order).toEqual([]);
    await settle();
    expect(order).toEqual(["a", "b", "c", "a", "c", "a"]);
  });

  test("leave room for others when they take long: a few of them between two turns of the event loop, in order", async () => {
    let now = 0;
    let turns = 0;
    const turn = () => new Promise<void>((resolve) => void setImmediate(() => resolve(void turns++)));
    const backlogs = new Backlogs({ now: () => now, turn });
    const order: [string, number][] = [];
    for (const name of ["a", "b", "c", "d", "e"]) {
      backlogs.add(() => {
        order.push([name, turns]);
        now += 1.5;
      });
    }
    await settle();
    expect(order).toEqual([
      ["a", 1],
      ["b", 1],
      ["c", 2],
      ["d", 2],
      ["e", 3],
    ]);
  });

  test("that take too long at once still get on", async () => {
    let now = 0;
    const clock = new FakeClock();
    const backlogs = new Backlogs({ now: () => (now += 10), turn: () => clock.turn() });
    let done = 0;
    for (let count = 0; count < 3; count++) backlogs.add(() => void done++);
    await settle();
    expect(done).toBe(3);
  });

  test("have the memory collected that their work has left, when there was much of it and not more often than five times a second", async () => {
    const clock = new FakeClock();
    let collected = 0;
    const backlogs = new Backlogs(clock, () => void collected++);
    const work = async (turns: number) => {
      for (let count = 0; count < turns; count++) backlogs.add(() => {});
      await settle();
    };
    await work(63);
    expect(collected).toBe(0);
    await work(1);
    expect(collected).toBe(1);
    await work(200);
    expect(collected).toBe(1);
    await clock.advance(200);
    await work(1);
    expect(collected).toBe(2);
  });
});
