import { describe, expect, test } from "bun:test";
import { Throttle } from "../../../lib/server/access/throttle.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function failing(throttle: Throttle, address: string, times: number): void {
  for (let round = 0; round < times; round++) throttle.noteFailure(address);
}

describe("an address that fails", () => {
  test("is held from the tenth failure on, and let go 5 seconds later", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    failing(throttle, "a", 9);
    expect(throttle.isHeld("a")).toBe(false);
    throttle.noteFailure("a");
    expect(throttle.isHeld("a")).toBe(true);
    await clock.advance(4_999);
    expect(throttle.isHeld("a")).toBe(true);
    await clock.advance(1);
    expect(throttle.isHeld("a")).toBe(false);
  });

  test("pays for each failure that it got in at once", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    failing(throttle, "a", 100);
    await clock.advance(91 * 5_000 - 1);
    expect(throttle.isHeld("a")).toBe(true);
    await clock.advance(1);
    expect(throttle.isHeld("a")).toBe(false);
  });

  test("says nothing of another", () => {
    const throttle = new Throttle(new FakeClock());
    failing(throttle, "a", 50);
    expect(throttle.isHeld("b")).toBe(false);
    expect(throttle.isHeld("")).toBe(false);
  });
});

describe("very many addresses", () => {
  test("are not all remembered, but those that fail now are", () => {
    const throttle = new Throttle(new FakeClock());
    failing(throttle, "first", 20);
    for (let index = 0; index < 10_000; index++) throttle.noteFailure(`other ${index}`);
    expect(throttle.isHeld("first")).toBe(false);
    failing(throttle, "last", 20);
    expect(throttle.isHeld("last")).toBe(true);
  });

  test("do not push out one that goes on failing", () => {
    const throttle = new Throttle(new FakeClock());
    for (let index = 0; index < 30_000; index++) {
      throttle.noteFailure(`other ${index}`);
      if (index % 1_000 === 0) throttle.noteFailure("persistent");
    }
    expect(throttle.isHeld("persistent")).toBe(true);
  });
});
