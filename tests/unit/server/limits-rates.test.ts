import { describe, expect, test } from "bun:test";
import { CallCounter, type CallKind } from "../../../lib/server/call-rates.ts";
import { type Candidate, Seats } from "../../../lib/server/seats.ts";
import { Tally } from "../../../lib/server/tally.ts";
import { formatHostPort } from "../../../lib/transport/address.ts";
import { addressOf } from "../../support/peer-address.ts";

describe("CallCounter", () => {
  const RATES = { messages: 10, lists: 2, pages: 20 };
  const takeAll = (counter: CallCounter, kind: CallKind, now: number) => {
    let taken = 0;
    while (counter.take(kind, RATES, now) === 0) taken++;
    return taken;
  };

  test("lets two seconds' worth pass at once, then so many a second", () => {
    const counter = new CallCounter();
    expect(takeAll(counter, "messages", 0)).toBe(20);
    expect(takeAll(counter, "messages", 1_000)).toBe(10);
    expect(takeAll(counter, "messages", 1_500)).toBe(5);
  });

  test("counts each kind by itself", () => {
    const counter = new CallCounter();
    expect(takeAll(counter, "messages", 0)).toBe(20);
    expect(takeAll(counter, "lists", 0)).toBe(4);
    expect(takeAll(counter, "pages", 0)).toBe(40);
  });
});

describe("Tally", () => {
  test("counts, and forgets kinds with a count of 0", () => {
    const tally = new Tally();
    for (const kind of ["a", "a", "b"]) tally.add(kind);
    tally.remove("a");
    tally.remove("b");
    expect(["a", "b", "c", "__proto__"].map((kind) => tally.count(kind))).toEqual([1, 0, 0, 0]);
  });

  test("is never below nothing", () => {
    const tally = new Tally();
    tally.remove("a");
    tally.add("a");
    expect(tally.count("a")).toBe(1);
  });
});

test("an IPv4 address in the dress of an IPv6 one is that IPv4 address: not all of them one party", () => {
  const groups = ["::ffff:192.0.2.7", "::ffff:192.0.2.8"].map((host) => addressOf(formatHostPort(host, 1)).group);
  expect(groups).toEqual(["192.0.2.7", "192.0.2.8"]);
});

class Guest implements Candidate {
  readonly party: string;
  isSeated = false;

  constructor(party: string) {
    this.party = party;
  }

  onSeated(): void {
    this.isSeated = true;
  }

  onPosition(): void {}

  onDisplaced(): void {}
}

describe("Seats, by party", () => {
  const party = (name: string, count: number) => Array.from({ length: count }, () => new Guest(name));

  test("seats and places in the queue count together; others come in beside", () => {
    const seats = new Seats({ max: 2, maxWaiting: 8, maxPerParty: 3 });
    expect(party("a", 5).map((guest) => seats.request(guest, true))).toEqual([
      "seated",
      "seated",
      "waiting",
      "crowded",
      "crowded",
    ]);
    expect(seats.request(new Guest("b"), true)).toBe("waiting");
  });

  test("a crowded-out candidate learns it whether it can wait or not, and takes nothing", () => {
    const seats = new Seats({ max: 8, maxWaiting: 8, maxPerParty: 1 });
    seats.request(new Guest("a"), false);
    const [late, other] = party("a", 2) as [Guest, Guest];
    expect([seats.request(late, true), seats.request(other, false)]).toEqual(["crowded", "crowded"]);
    seats.release(late);
    expect([seats.taken, seats.waiting, late.isSeated]).toEqual([1, 0, false]);
  });

  test("a candidate that is refused for another reason takes no place of its party", () => {
    const seats = new Seats({ max: 1, maxWaiting: 0, maxPerParty: 2 });
    const [first, second, third] = party("a", 3) as [Guest, Guest, Guest];
    expect([first, second, third].map((guest) => seats.request(guest, true))).toEqual(["seated", "full", "full"]);
    seats.release(first);
    expect(seats.request(second, true)).toBe("seated");
  });

  test("a place is free again when a seat or a place in the queue is given back, once", () => {
    const seats = new Seats({ max: 1, maxWaiting: 8, maxPerParty: 2 });
    const [seated, waiting, late] = party("a", 3) as [Guest, Guest, Guest];
    seats.request(seated, true);
    seats.request(waiting, true);
    seats.release(waiting);
    seats.release(waiting);
    expect(seats.request(late, true)).toBe("waiting");
    expect(seats.request(new Guest("a"), true)).toBe("crowded");
    seats.release(seated);
    expect(late.isSeated).toBe(true);
    expect(seats.request(new Guest("a"), true)).toBe("waiting");
    expect(seats.request(new Guest("a"), true)).toBe("crowded");
  });

  test("a seat that is taken over by another party counts for that one from then on", () => {
    const seats = new Seats({ max: 8, maxWaiting: 0, maxPerParty: 1 });
    const [before, after] = [new Guest("a"), new Guest("b")];
    seats.request(before, false);
    seats.replace(before, after);
    expect(seats.taken).toBe(1);
    expect(["a", "b"].map((name) => seats.request(new Guest(name), false))).toEqual(["seated", "crowded"]);
    seats.release(before);
    expect(seats.request(new Guest("b"), false)).toBe("crowded");
    seats.release(after);
    expect(seats.request(new Guest("b"), false)).toBe("seated");
  });
});
