import { expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_CREDIT } from "../../lib/protocol/constants.ts";
import { ReceiveWindow, SendCredit } from "../../lib/session/credit.ts";
import { protocolFault } from "../support/outcomes.ts";

const amount = fc.oneof(fc.nat(20), fc.nat(0xffff_ffff), fc.constantFrom(MAX_CREDIT, MAX_CREDIT - 1, MAX_CREDIT + 1));
const balance = fc.oneof(fc.nat(20), fc.constantFrom(0, MAX_CREDIT), fc.nat(MAX_CREDIT));

test("SendCredit keeps the balance of a plain sum, never negative and never above the largest", () => {
  const step = fc.record({ kind: fc.constantFrom("grant", "consume"), bytes: amount });
  fc.assert(
    fc.property(balance, fc.array(step, { maxLength: 40 }), (initial, steps) => {
      const credit = new SendCredit(initial);
      let model = BigInt(initial);
      for (const { kind, bytes } of steps) {
        if (kind === "consume") {
          const taken = credit.consume(bytes);
          expect(taken).toBe(Math.min(bytes, Number(model)));
          model -= BigInt(taken);
        } else {
          const impossible = bytes === 0 || model + BigInt(bytes) > BigInt(MAX_CREDIT);
          expect(protocolFault(() => credit.grant(bytes))).toBe(impossible ? "CREDIT_EXCEEDED" : undefined);
          if (!impossible) model += BigInt(bytes);
        }
        expect(credit.available).toBe(Number(model));
        expect(credit.available >= 0 && credit.available <= MAX_CREDIT).toBeTrue();
      }
    }),
    { numRuns: 500 },
  );
});

/** Both sides of one direction of a stream, with what is on the way between them. */
class Direction {
  window: number;
  readonly sender: SendCredit;
  readonly receiver: ReceiveWindow;
  readonly data: number[] = [];
  readonly grants: number[] = [];
  /** Received, and not in its sink yet. */
  held = 0;
  /** In its sink, and not granted anew yet. */
  owed = 0;

  constructor(window: number) {
    this.window = window;
    this.sender = new SendCredit(window);
    this.receiver = new ReceiveWindow(window);
  }

  send(wanted: number): void {
    const taken = this.sender.consume(wanted);
    expect(taken).toBeLessThanOrEqual(wanted);
    if (taken > 0) this.data.push(taken);
  }

  deliver(): void {
    const bytes = this.data.shift() ?? 0;
    this.receiver.receive(bytes);
    this.held += bytes;
  }

  consume(wanted: number): void {
    const bytes = Math.min(wanted, this.held);
    this.held -= bytes;
    this.owed += bytes;
    const grant = this.receiver.consume(bytes);
    expect([0, this.owed]).toContain(grant);
    if (grant === 0) return;
    this.owed = 0;
    this.grants.push(grant);
  }

  widen(more: number): void {
    const grant = this.receiver.widen(this.window + more);
    if (more === 0) return expect(grant).toBe(0);
    expect(grant).toBe(more + this.owed);
    this.window += more;
    this.owed = 0;
    this.grants.push(grant);
  }

  grant(): void {
    const bytes = this.grants.shift();
    if (bytes !== undefined) this.sender.grant(bytes);
  }

  check(): void {
    const onTheWay = [...this.data, ...this.grants].reduce((sum, bytes) => sum + bytes, 0);
    expect(this.sender.available).toBeGreaterThanOrEqual(0);
    expect(this.sender.available + onTheWay + this.held + this.owed).toBe(this.window);
  }
}

const moves = fc.array(
  fc.record({
    kind: fc.constantFrom("send", "deliver", "consume", "grant", "widen"),
    bytes: fc.oneof(fc.nat(10), fc.nat(3_000)),
  }),
  { maxLength: 80 },
);
const window = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2_000 }));

function play(bytes: number, steps: readonly { kind: string; bytes: number }[]): Direction {
  const direction = new Direction(bytes);
  for (const step of steps) {
    if (step.kind === "send") direction.send(step.bytes);
    else if (step.kind === "deliver") direction.deliver();
    else if (step.kind === "consume") direction.consume(step.bytes);
    else if (step.kind === "widen") direction.widen(step.bytes);
    else direction.grant();
    direction.check();
  }
  return direction;
}

test("credit is neither lost nor made up, and a sender that keeps to it never exceeds the receiver's window", () => {
  fc.assert(
    fc.property(window, moves, (bytes, steps) => {
      play(bytes, steps);
    }),
    { numRuns: 500 },
  );
});

test("the receiver takes what was granted to the last byte, and not one more", () => {
  fc.assert(
    fc.property(window, moves, (bytes, steps) => {
      const { sender, receiver, data, grants } = play(bytes, steps);
      const granted = [...data, ...grants].reduce((sum, part) => sum + part, sender.available);
      expect(protocolFault(() => receiver.receive(granted + 1))).toBe("CREDIT_EXCEEDED");
      expect(protocolFault(() => receiver.receive(granted))).toBeUndefined();
      expect(protocolFault(() => receiver.receive(1))).toBe("CREDIT_EXCEEDED");
    }),
    { numRuns: 300 },
  );
});

test("a reader that reads everything always leaves the sender something to send", () => {
  fc.assert(
    fc.property(window, moves, (bytes, steps) => {
      const direction = play(bytes, steps);
      while (direction.data.length > 0) direction.deliver();
      direction.consume(direction.held);
      while (direction.grants.length > 0) direction.grant();
      expect(direction.sender.available * 2).toBeGreaterThan(direction.window);
    }),
    { numRuns: 300 },
  );
});
