import { describe, expect, test } from "bun:test";
import { type Candidate, Seats } from "../../../lib/server/seats.ts";

/** Remembers what it was told. */
class Guest implements Candidate {
  readonly told: (number | "seated" | "displaced")[] = [];
  readonly party: string;
  readonly #house: { seats?: Seats };

  constructor(party = "192.0.2.1", house: { seats?: Seats } = {}) {
    this.party = party;
    this.#house = house;
  }

  onSeated(): void {
    this.told.push("seated");
  }

  onPosition(position: number): void {
    this.told.push(position);
  }

  onDisplaced(): void {
    this.told.push("displaced");
    this.#house.seats?.release(this);
  }
}

const guests = (count: number) => Array.from({ length: count }, () => new Guest());

/** Seats with `max` guests seated and `waiting` more in the queue. */
function filled(max: number, waiting: number): { seats: Seats; seated: Guest[]; queue: Guest[] } {
  const seats = new Seats({ max, maxWaiting: 16, maxPerParty: 1_000 });
  const [seated, queue] = [guests(max), guests(waiting)];
  for (const guest of [...seated, ...queue]) seats.request(guest, true);
  for (const guest of queue) guest.told.length = 0;
  return { seats, seated, queue };
}

describe("Seats.request()", () => {
  test("seats as many as there are seats, at once", () => {
    const seats = new Seats({ max: 3, maxWaiting: 2, maxPerParty: 1_000 });
    const all = guests(3);
    expect(all.map((guest) => seats.request(guest, false))).toEqual(["seated", "seated", "seated"]);
    expect(all.map(({ told }) => told)).toEqual([["seated"], ["seated"], ["seated"]]);
    expect([seats.taken, seats.waiting]).toEqual([3, 0]);
  });

  test("leaves out who can't wait, and tells it nothing", () => {
    const { seats } = filled(3, 0);
    const fourth = new Guest();
    expect(seats.request(fourth, false)).toBe("full");
    expect(fourth.told).toEqual([]);
    expect([seats.taken, seats.waiting]).toEqual([3, 0]);
  });

  test("gives nobody a place in the queue that its holder has not left yet", () => {
    const seats = new Seats({ max: 1, maxWaiting: 3, maxPerParty: 1_000 });
    for (const guest of guests(4)) seats.request(guest, true);
    const other = new Guest("192.0.2.2");
    expect([seats.request(other, true), seats.waiting, other.told]).toEqual(["full", 3, []]);
  });

  test("queues candidates that can wait, in the order of arrival, and turns away those above the limit of the queue", () => {
    const seats = new Seats({ max: 1, maxWaiting: 2, maxPerParty: 1_000 });
    const all = guests(4);
    expect(all.map((guest) => seats.request(guest, true))).toEqual(["seated", "waiting", "waiting", "full"]);
    expect(all.map(({ told }) => told)).toEqual([["seated"], [1], [2], []]);
  });

  test("has no queue when none may wait", () => {
    const seats = new Seats({ max: 1, maxWaiting: 0, maxPerParty: 1_000 });
    expect(guests(2).map((guest) => seats.request(guest, true))).toEqual(["seated", "full"]);
  });

  test("lets nobody overtake the queue while a seat is handed on", () => {
    const { seats, seated, queue } = filled(1, 1);
    const latecomer = new Guest();
    let answer = "";
    // Asks in the very moment in which the seat is free.
    (queue[0] as Guest).onSeated = () => {
      answer = seats.request(latecomer, false);
    };
    seats.release(seated[0] as Guest);
    expect(answer).toBe("full");
    expect(seats.taken).toBe(1);
  });
});

describe("Seats.release()", () => {
  test("of a seat gives it to the first in the queue and moves up the others", () => {
    const { seats, seated, queue } = filled(2, 3);
    seats.release(seated[1] as Guest);
    expect(queue.map(({ told }) => told)).toEqual([["seated"], [1], [2]]);
    expect([seats.taken, seats.waiting]).toEqual([2, 2]);
  });

  test("of a waiting candidate moves up only those after it", () => {
    const { seats, queue } = filled(1, 4);
    seats.release(queue[1] as Guest);
    expect(queue.map(({ told }) => told)).toEqual([[], [], [2], [3]]);
    expect([seats.taken, seats.waiting]).toEqual([1, 3]);
  });

  test("of the last in the queue tells nobody", () => {
    const { seats, queue } = filled(1, 3);
    seats.release(queue[2] as Guest);
    expect(queue.map(({ told }) => told)).toEqual([[], [], []]);
  });

  test("twice frees one seat and no more", () => {
    const { seats, seated, queue } = filled(1, 2);
    seats.release(seated[0] as Guest);
    seats.release(seated[0] as Guest);
    expect(queue.map(({ told }) => told)).toEqual([["seated"], [1]]);
    expect([seats.taken, seats.waiting]).toEqual([1, 1]);
  });

  test("of a candidate that was never admitted has no effect", () => {
    const { seats, queue } = filled(1, 1);
    seats.release(new Guest());
    expect(queue[0]?.told).toEqual([]);
    expect([seats.taken, seats.waiting]).toEqual([1, 1]);
  });

  test("frees the seat for a newcomer after the queue is empty", () => {
    const { seats, seated } = filled(1, 0);
    seats.release(seated[0] as Guest);
    expect(seats.request(new Guest(), false)).toBe("seated");
  });

  test("by a candidate that leaves in the moment of being seated passes the seat on", () => {
    const { seats, seated, queue } = filled(1, 3);
    const [first, second] = queue as [Guest, Guest];
    for (const guest of [first, second]) guest.onSeated = () => seats.release(guest);
    seats.release(seated[0] as Guest);
    expect(queue[2]?.told.at(-1)).toBe("seated");
    expect([seats.taken, seats.waiting]).toEqual([1, 0]);
  });
});

describe("a full queue", () => {
  class House {
    readonly seats = new Seats({ max: 1, maxWaiting: 4, maxPerParty: 1_000 });

    come(party: string): { guest: Guest; answer: string } {
      const guest = new Guest(party, this);
      return { guest, answer: this.seats.request(guest, true) };
    }

    queue(...parties: string[]): Guest[] {
      this.come("seated");
      return parties.map((party) => this.come(party).guest);
    }
  }

  test("of one party makes room for another: its last arrival goes, and no other", () => {
    const house = new House();
    const crowd = house.queue("a", "a", "a", "a");
    const { guest, answer } = house.come("b");
    expect(answer).toBe("waiting");
    expect(crowd.map(({ told }) => told)).toEqual([[1], [2], [3], [4, "displaced"]]);
    expect(guest.told).toEqual([4]);
    expect(house.seats.waiting).toBe(4);
  });

  test("goes on to until the places are shared evenly, and then nobody takes another's", () => {
    const house = new House();
    house.queue("a", "a", "a", "a");
    expect(["b", "b", "b", "a"].map((party) => house.come(party).answer)).toEqual([
      "waiting",
      "waiting",
      "full",
      "full",
    ]);
    expect(["c", "d", "e"].map((party) => house.come(party).answer)).toEqual(["waiting", "waiting", "full"]);
  });

  test("moves up those after the one that goes", () => {
    const house = new House();
    const [, , , last] = house.queue("a", "a", "a", "b") as [Guest, Guest, Guest, Guest];
    house.come("c");
    expect(last.told).toEqual([4, 3]);
  });

  test("has no room for who can't wait", () => {
    const house = new House();
    house.queue("a", "a", "a", "a");
    expect(house.seats.request(new Guest("b"), false)).toBe("full");
    expect(house.seats.waiting).toBe(4);
  });
});

test("nobody overtakes the queue, even if a seat became free while a place in the queue was made", () => {
  const house: { seats?: Seats } = {};
  const seats = new Seats({ max: 1, maxWaiting: 2, maxPerParty: 1_000 });
  house.seats = seats;
  const seated = new Guest("192.0.2.1");
  const [first, last] = [new Guest("192.0.2.2", house), new Guest("192.0.2.2", house)];
  for (const guest of [seated, first, last]) seats.request(guest, true);
  // Both that go leave in the same moment, and so does who has the seat then.
  last.onDisplaced = () => {
    for (const guest of [last, first, seated]) seats.release(guest);
  };
  const [next, later] = [new Guest("192.0.2.3"), new Guest("192.0.2.4")];
  expect(seats.request(next, true)).toBe("waiting");
  expect([seats.taken, seats.waiting]).toEqual([0, 1]);
  expect(seats.request(later, true)).toBe("waiting");
  expect(later.told).toEqual([2]);
});

test("a seat that changes hands counts for the party of its new holder, and no longer for that of the one before", () => {
  const seats = new Seats({ max: 4, maxWaiting: 0, maxPerParty: 1 });
  const [before, after] = [new Guest("192.0.2.1"), new Guest("192.0.2.2")];
  seats.request(before, false);
  seats.replace(before, after);
  expect(seats.taken).toBe(1);
  expect(seats.request(new Guest("192.0.2.2"), false)).toBe("crowded");
  expect(seats.request(new Guest("192.0.2.1"), false)).toBe("seated");
  // The one before has nothing any more that it could give back.
  seats.release(before);
  expect(seats.taken).toBe(2);
});

test("who leaves the queue leaves its party's count as well, one at a time", () => {
  const seats = new Seats({ max: 1, maxWaiting: 9, maxPerParty: 3 });
  const [first, second, third] = [new Guest(), new Guest(), new Guest()];
  for (const guest of [first, second, third]) seats.request(guest, true);
  expect(seats.request(new Guest(), true)).toBe("crowded");
  seats.release(third);
  expect(seats.request(new Guest(), true)).toBe("waiting");
  expect(seats.request(new Guest(), true)).toBe("crowded");
  seats.release(second);
  seats.release(first);
  expect([1, 2, 3].map(() => seats.request(new Guest(), true))).toEqual(["waiting", "waiting", "crowded"]);
});
