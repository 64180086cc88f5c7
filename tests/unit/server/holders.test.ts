/** Who gives way when others wait for memory, and what becomes of those who do not. */
import { expect, test } from "bun:test";
import { type Holder, Holders, type Kept } from "../../../lib/server/holders.ts";

interface Choice extends Partial<Pick<Holder, "isWaiting" | "isResumable">> {
  readonly isAtWork?: () => boolean;
  readonly since?: number;
  /** Something moves for it all the time. */
  readonly isMoving?: boolean;
}

/** Holders that are told things, and do none of them. */
class Site {
  readonly holders = new Holders();
  readonly told: string[] = [];

  hold(name: string, bytes: number, options: Choice = {}): Kept {
    const { isAtWork, since = 0, isMoving = false, isWaiting = true, isResumable = false } = options;
    const kept = { bytes, isAtWork };
    let moved = 0;
    const holder: Holder = {
      get moved() {
        return isMoving ? ++moved : moved;
      },
      isWaiting,
      isResumable,
      yield: () => void this.told.push(`yield ${name}`),
      end: () => void this.told.push(`end ${name}`),
    };
    this.holders.add(kept, holder, since);
    return kept;
  }

  /** What they are told when others wait for `wanted` bytes. */
  toldAt(now: number, wanted: number): string[] {
    this.holders.makeRoom(wanted, now);
    return this.told.splice(0);
  }
}

test("a holder that does not give way within three seconds is ended, once", () => {
  const site = new Site();
  site.hold("a", 10);
  expect(site.toldAt(4_999, 10)).toEqual([]);
  expect(site.toldAt(5_000, 10)).toEqual(["yield a"]);
  expect(site.toldAt(7_999, 10)).toEqual([]);
  expect(site.toldAt(8_000, 10)).toEqual(["end a"]);
  expect(site.toldAt(60_000, 10)).toEqual([]);
});

test("nobody else is asked while what was asked for is still to come", () => {
  const site = new Site();
  const kept = site.hold("a", 10);
  site.hold("b", 10, { since: 1 });
  expect(site.toldAt(6_000, 10)).toEqual(["yield a"]);
  expect(site.toldAt(7_000, 10)).toEqual([]);
  expect(site.toldAt(7_500, 11)).toEqual(["yield b"]);
  site.holders.remove(kept);
  expect(site.toldAt(10_000, 20)).toEqual([]);
  expect(site.toldAt(10_500, 20)).toEqual(["end b"]);
});

test("a stalled holder goes before one with a turn of a minute, and the longest turn first", () => {
  const site = new Site();
  site.hold("late", 10, { isMoving: true, isResumable: true, since: 100 });
  site.hold("early", 10, { isMoving: true, isResumable: true });
  site.hold("still", 10, { since: 50_000 });
  site.hold("moving", 10, { isMoving: true });
  expect(site.toldAt(50_500, 40)).toEqual([]);
  expect(site.toldAt(59_999, 10)).toEqual(["yield still"]);
  expect(site.toldAt(60_099, 40)).toEqual(["yield early"]);
  expect(site.toldAt(60_100, 40)).toEqual(["yield late"]);
});

test.each([
  ["whose peer it does not wait for", { isWaiting: false }],
  ["for whom work runs", { isAtWork: () => true }],
])("a holder %s is left alone, however long nothing moves", (_, options) => {
  const site = new Site();
  site.hold("a", 10, options);
  for (let now = 0; now <= 600_000; now += 1_000) expect(site.toldAt(now, 10)).toEqual([]);
});

test("what stood still before anybody waited does not count", () => {
  const site = new Site();
  site.hold("a", 10);
  site.holders.begin(100_000);
  expect(site.toldAt(104_999, 10)).toEqual([]);
  expect(site.toldAt(105_000, 10)).toEqual(["yield a"]);
});
