import { describe, expect, test } from "bun:test";
import { type Candidate, Seats } from "../../../lib/server/seats.ts";

/** Remembers what it was told. */
class Guest implements Candidate {
  readonly group = "192.0.2.1";
  readonly told: (number | "seated")[] = [];

  onSeated(): void {
    this.told.push("seated");
  }

  onPosition(position: number): void {
    this.told.push(position);
  }
}

const guests = (count: number) => Array.from({ length: count }, () => new Guest());

/** Seats with `max` guests seated and `waiting` more in the queue. */
function filled(max: number, waiting: number): { seats: Seats; seated: Guest[]; queue: Guest[] } {
  const seats = new Seats({ max, maxWaiting: 16, maxPerGroup: 1_000 });
  const [seated, queue] = [guests(max), guests(waiting)];
  for (const guest of [...seated, ...queue]) seats.request(guest, true);
  for (const guest of queue) guest.told.length = 0;
  return { seats, seated, queue };
}

describe("Seats.request()", () => {
  test("seats as many as there are seats, at once", () => {
    const seats = new Seats({ max: 3, maxWaiting: 2, maxPerGroup: 1_000 });
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

  test("queues who can wait, in the order of arrival, and leaves out who is above the limit of the queue", () => {
    const seats = new Seats({ max: 1, maxWaiting: 2, maxPerGroup: 1_000 });
    const all = guests(4);
    expect(all.map((guest) => seats.request(guest, true))).toEqual(["seated", "waiting", "waiting", "full"]);
    expect(all.map(({ told }) => told)).toEqual([["seated"], [1], [2], []]);
  });

  test("has no queue when none may wait", () => {
    const seats = new Seats({ max: 1, maxWaiting: 0, maxPerGroup: 1_000 });
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

  test("of one who waits moves up only those behind", () => {
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

  test("of one who was never admitted has no effect", () => {
    const { seats, queue } = filled(1, 1);
    seats.release(new Guest());
    expect(queue[0]?.told).toEqual([]);
    expect([seats.taken, seats.waiting]).toEqual([1, 1]);
  });

  test("frees the seat for who comes after the queue is empty", () => {
    const { seats, seated } = filled(1, 0);
    seats.release(seated[0] as Guest);
    expect(seats.request(new Guest(), false)).toBe("seated");
  });

  test("by one who leaves in the moment of being seated hands the seat on", () => {
    const { seats, seated, queue } = filled(1, 3);
    const [first, second] = queue as [Guest, Guest];
    for (const guest of [first, second]) guest.onSeated = () => seats.release(guest);
    seats.release(seated[0] as Guest);
    expect(queue[2]?.told.at(-1)).toBe("seated");
    expect([seats.taken, seats.waiting]).toEqual([1, 0]);
  });
});
