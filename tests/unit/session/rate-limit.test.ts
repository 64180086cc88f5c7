import { describe, expect, test } from "bun:test";
import { Bucket } from "../../../lib/bucket.ts";
import { Bandwidth } from "../../../lib/server/bandwidth.ts";
import { RateLimit, rateBucket } from "../../../lib/session/rate-limit.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("RateLimit", () => {
  test("waits as long as the slowest of its limits wants", () => {
    const clock = new FakeClock();
    const [slow, fast] = [new Bucket(1_000, 0, clock.now()), new Bucket(10_000, 0, clock.now())];
    const limit = new RateLimit(clock, [fast, slow]);
    expect(limit.waitMs()).toBe(0);
    limit.spend(1_000);
    expect(limit.waitMs()).toBe(1_000);
  });

  test("what one session moves counts for all that share a limit", () => {
    const clock = new FakeClock();
    const shared = new Bucket(1_000, 0, clock.now());
    const [one, other] = [new RateLimit(clock, [shared]), new RateLimit(clock, [shared])];
    one.spend(500);
    expect([one.waitMs(), other.waitMs()]).toEqual([500, 500]);
  });

  test("goes on by the clock", async () => {
    const clock = new FakeClock();
    const limit = new RateLimit(clock, [rateBucket(1_000, clock)]);
    limit.spend(1_250);
    expect(limit.waitMs()).toBe(1_000);
    await clock.advance(400);
    expect(limit.waitMs()).toBe(600);
    await clock.advance(600);
    expect(limit.waitMs()).toBe(0);
  });

  test("a rest lets a quarter of a second pass at once", () => {
    const clock = new FakeClock();
    const bucket = rateBucket(1_000_000, clock);
    bucket.spend(250_000, clock.now());
    expect(bucket.waitMs(clock.now())).toBe(0);
    bucket.spend(1_000, clock.now());
    expect(bucket.waitMs(clock.now())).toBe(1);
  });
});

describe("Bandwidth.limit()", () => {
  test("is that of a change from then on; what was handed out stays", () => {
    const bandwidth = new Bandwidth({ perSession: undefined, total: 1_000 }, new FakeClock());
    const before = bandwidth.limit("out");
    bandwidth.change({ perSession: undefined, total: undefined });
    expect(before).toBeDefined();
    expect(bandwidth.limit("out")).toBeUndefined();
    bandwidth.change({ perSession: 1_000, total: undefined });
    expect(bandwidth.limit("in")).toBeDefined();
  });

  test("is nothing when nothing is limited", () => {
    const bandwidth = new Bandwidth({ perSession: undefined, total: undefined }, new FakeClock());
    expect([bandwidth.limit("in"), bandwidth.limit("out")]).toEqual([undefined, undefined]);
  });

  test("of a session's limit is each session's own, and each direction's", () => {
    const bandwidth = new Bandwidth({ perSession: 1_000, total: undefined }, new FakeClock());
    const [one, other, up] = [bandwidth.limit("out"), bandwidth.limit("out"), bandwidth.limit("in")];
    one?.spend(1_250);
    expect([one?.waitMs(), other?.waitMs(), up?.waitMs()]).toEqual([1_000, 0, 0]);
  });

  test("of the limit of all is shared in a direction, and not between them", () => {
    const bandwidth = new Bandwidth({ perSession: undefined, total: 1_000 }, new FakeClock());
    const [one, other, up] = [bandwidth.limit("out"), bandwidth.limit("out"), bandwidth.limit("in")];
    one?.spend(1_250);
    expect([one?.waitMs(), other?.waitMs(), up?.waitMs()]).toEqual([1_000, 1_000, 0]);
  });

  test("of both keeps both", () => {
    const bandwidth = new Bandwidth({ perSession: 1_000, total: 10_000 }, new FakeClock());
    const [one, other] = [bandwidth.limit("out"), bandwidth.limit("out")];
    one?.spend(10_250);
    // Its own: 10.25 s of bytes, less the burst; of all: 1.025 s, less the burst.
    expect([one?.waitMs(), other?.waitMs()]).toEqual([10_000, 775]);
  });
});
