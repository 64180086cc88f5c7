import { describe, expect, test } from "bun:test";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { Turns } from "../../../lib/server/turns.ts";
import { settle } from "../../support/fake-clock.ts";

const NEED = { least: 1, most: 1 };

/** A stream as turns see it, which the test closes. */
class Caller {
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;
  isClosed = false;

  close(): void {
    this.isClosed = true;
    this.#closed.resolve();
  }
}

/** Turns whose work lasts until it is told to end. */
function site(max: number, bytes = 100) {
  const budget = new MemoryBudget({ bytes, sessionBytes: bytes, firstBytes: bytes });
  const turns = new Turns(budget.share(), max);
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
  return { budget, turns, begun, over, run, ends };
}

describe("turns", () => {
  test("are taken so many at once, and the rest in order", async () => {
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

  test("are not given to who has gone meanwhile: no work is begun for a closed stream", async () => {
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
