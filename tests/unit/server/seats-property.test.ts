import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Candidate, Seats } from "../../../lib/server/seats.ts";

type Step =
  | { readonly kind: "request"; readonly canWait: boolean; readonly leavesAtOnce: boolean }
  | { readonly kind: "release"; readonly index: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("request" as const), canWait: fc.boolean(), leavesAtOnce: fc.boolean() }),
  fc.record({ kind: fc.constant("release" as const), index: fc.nat(30) }),
);

/** A candidate that checks what it is told, and that may leave in the moment in which it is seated. */
class Guest implements Candidate {
  readonly party = "192.0.2.1";
  state: "new" | "waiting" | "seated" | "gone" = "new";
  position = 0;
  readonly #house: House;
  readonly #leavesAtOnce: boolean;

  constructor(house: House, leavesAtOnce: boolean) {
    this.#house = house;
    this.#leavesAtOnce = leavesAtOnce;
  }

  onSeated(): void {
    expect(["new", "waiting"]).toContain(this.state);
    this.state = "seated";
    this.#house.seatedInOrder.push(this);
    if (this.#leavesAtOnce) this.leave();
  }

  onPosition(position: number): void {
    expect(["new", "waiting"]).toContain(this.state);
    this.state = "waiting";
    this.position = position;
  }

  onDisplaced(): void {
    throw new Error("there is no other party");
  }

  leave(): void {
    this.state = "gone";
    this.#house.seats.release(this);
  }
}

/** Seats, with the simplest account of who is where. */
class House {
  readonly seats: Seats;
  readonly guests: Guest[] = [];
  readonly seatedInOrder: Guest[] = [];

  constructor(max: number, maxWaiting: number) {
    this.seats = new Seats({ max, maxWaiting, maxPerParty: 1_000 });
  }

  run(one: Step): void {
    if (one.kind === "release") {
      // Also those who are gone: double release is harmless.
      this.guests[one.index % Math.max(1, this.guests.length)]?.leave();
      return;
    }
    const guest = new Guest(this, one.leavesAtOnce);
    const { taken, waiting } = this.seats;
    const answer = this.seats.request(guest, one.canWait);
    expect(answer).toBe(this.#expected(taken, waiting, one.canWait));
    if (answer !== "full") this.guests.push(guest);
    else expect(guest.state).toBe("new");
  }

  check(): void {
    const { seats } = this;
    const [seated, waiting] = [this.#in("seated"), this.#in("waiting")];
    expect([seats.taken, seats.waiting]).toEqual([seated.length, waiting.length]);
    expect(seats.taken).toBeLessThanOrEqual(seats.max);
    expect(seats.waiting).toBeLessThanOrEqual(seats.maxWaiting);
    if (seats.waiting > 0) expect(seats.taken).toBe(seats.max);
    // In the order of arrival, everyone knows its place.
    expect(waiting.map(({ position }) => position)).toEqual(waiting.map((_, index) => index + 1));
    // Whoever was seated, came before all who were seated later.
    const order = this.seatedInOrder.map((guest) => this.guests.indexOf(guest)).filter((index) => index !== -1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }

  #expected(taken: number, waiting: number, canWait: boolean): "seated" | "waiting" | "full" {
    if (taken < this.seats.max && waiting === 0) return "seated";
    return canWait && waiting < this.seats.maxWaiting ? "waiting" : "full";
  }

  #in(state: Guest["state"]): Guest[] {
    return this.guests.filter((guest) => guest.state === state);
  }
}

test("Seats: whatever comes and goes, no seat too many is taken, none leaks, nobody overtakes, all know their place", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
      fc.array(step, { size: "large" }),
      (max, limit, steps) => {
        const house = new House(max, limit);
        for (const one of steps) {
          house.run(one);
          house.check();
        }
        for (const guest of house.guests) guest.leave();
        expect([house.seats.taken, house.seats.waiting]).toEqual([0, 0]);
      },
    ),
    { numRuns: 500 },
  );
});
