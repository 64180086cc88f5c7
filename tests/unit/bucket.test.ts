import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Bucket } from "../../lib/bucket.ts";

/** How many can be taken now. */
function takeAll(bucket: Bucket, now: number): number {
  let taken = 0;
  while (bucket.take(now)) taken++;
  return taken;
}

describe("Bucket.take()", () => {
  test("gives what a rest has gathered, and then nothing", () => {
    const bucket = new Bucket(10, 20, 0);
    expect(takeAll(bucket, 0)).toBe(20);
    expect(bucket.take(0)).toBe(false);
  });

  test("gives one more for each share of a second, and not a moment earlier", () => {
    const bucket = new Bucket(10, 20, 0);
    takeAll(bucket, 0);
    expect(bucket.take(99)).toBe(false);
    expect(bucket.take(100)).toBe(true);
    expect(bucket.take(100)).toBe(false);
    expect(takeAll(bucket, 600)).toBe(5);
  });

  test("does not take what it refuses", () => {
    const bucket = new Bucket(1, 1, 0);
    bucket.take(0);
    for (let ms = 0; ms < 1_000; ms += 10) expect(bucket.take(ms)).toBe(false);
    expect(bucket.take(1_000)).toBe(true);
  });

  test("gathers no more than its capacity, however long the rest", () => {
    const bucket = new Bucket(10, 20, 0);
    takeAll(bucket, 0);
    expect(takeAll(bucket, 3_600_000)).toBe(20);
  });
});

describe("Bucket.spend() and waitMs()", () => {
  test("may be overdrawn; the next one waits until the debt is paid", () => {
    const bucket = new Bucket(1_000, 250, 0);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.spend(1_250, 0);
    expect(bucket.waitMs(0)).toBe(1_000);
    expect(bucket.waitMs(999)).toBe(1);
    expect(bucket.waitMs(1_000)).toBe(0);
  });

  test("an empty bucket that owes nothing keeps nobody waiting", () => {
    const bucket = new Bucket(1_000, 250, 0);
    bucket.spend(250, 0);
    expect(bucket.waitMs(0)).toBe(0);
    bucket.spend(1, 0);
    expect(bucket.waitMs(0)).toBe(1);
  });

  test("take() waits for a debt as well", () => {
    const bucket = new Bucket(10, 10, 0);
    bucket.spend(15, 0);
    expect(bucket.take(500)).toBe(false);
    expect(bucket.take(600)).toBe(true);
  });
});

test("isFull() is true again after the time that a full bucket takes", () => {
  const bucket = new Bucket(10, 20, 0);
  expect(bucket.isFull(0)).toBe(true);
  bucket.spend(20, 0);
  expect([bucket.isFull(1_999), bucket.isFull(2_000), bucket.isFull(9_000)]).toEqual([false, true, true]);
});

describe("any bucket", () => {
  const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 1e6 }), burst: fc.integer({ min: 1, max: 1e6 }) });
  const steps = fc.array(
    fc.record({ ms: fc.integer({ min: 0, max: 5_000 }), amount: fc.integer({ min: 1, max: 500 }) }),
    {
      minLength: 1,
      maxLength: 200,
    },
  );

  test("whoever waits as it says moves no more than rate × time + burst + one piece", () => {
    fc.assert(
      fc.property(rates, steps, ({ perSecond, burst }, pieces) => {
        const bucket = new Bucket(perSecond, burst, 0);
        let now = 0;
        let moved = 0;
        for (const { ms, amount } of pieces) {
          now += ms + bucket.waitMs(now + ms);
          // What waitMs() names is enough.
          expect(bucket.waitMs(now)).toBeLessThanOrEqual(1);
          bucket.spend(amount, now);
          moved += amount;
          expect(moved).toBeLessThanOrEqual((now * perSecond) / 1_000 + burst + amount + perSecond / 1_000);
        }
      }),
    );
  });

  test("whoever takes as often as it lets does so no more than rate × time + burst times", () => {
    fc.assert(
      fc.property(rates, steps, ({ perSecond, burst }, pauses) => {
        const bucket = new Bucket(perSecond, burst, 0);
        let now = 0;
        let taken = 0;
        for (const { ms, amount } of pauses) {
          now += ms;
          for (let tries = 0; tries < amount; tries++) if (bucket.take(now)) taken++;
          expect(taken).toBeLessThanOrEqual((now * perSecond) / 1_000 + burst + 1e-6);
        }
      }),
    );
  });
});
