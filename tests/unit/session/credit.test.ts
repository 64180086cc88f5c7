import { describe, expect, test } from "bun:test";
import { MAX_CREDIT } from "../../../lib/protocol/constants.ts";
import { ReceiveWindow, SendCredit } from "../../../lib/session/credit.ts";
import { protocolFault } from "../../support/outcomes.ts";

describe("SendCredit", () => {
  test("consume() gives what is wanted, and no more than there is", () => {
    const credit = new SendCredit(10);
    expect(credit.consume(4)).toBe(4);
    expect(credit.consume(100)).toBe(6);
    expect(credit.consume(1)).toBe(0);
    expect(credit.available).toBe(0);
  });

  test("grant() adds to the balance", () => {
    const credit = new SendCredit(0);
    credit.grant(5);
    credit.grant(1);
    expect(credit.available).toBe(6);
  });

  test("grant() rejects 0 as CREDIT_EXCEEDED", () => {
    expect(protocolFault(() => new SendCredit(1).grant(0))).toBe("CREDIT_EXCEEDED");
  });

  test("grant() fills up to the largest balance and rejects the next byte", () => {
    const credit = new SendCredit(1);
    credit.grant(MAX_CREDIT - 1);
    expect(credit.available).toBe(MAX_CREDIT);
    expect(protocolFault(() => credit.grant(1))).toBe("CREDIT_EXCEEDED");
    expect(credit.available).toBe(MAX_CREDIT);
  });

  test("grant() rejects the largest 32-bit number on top of nothing", () => {
    const credit = new SendCredit(0);
    expect(protocolFault(() => credit.grant(0xffff_ffff))).toBe("CREDIT_EXCEEDED");
    expect(credit.available).toBe(0);
  });
});

describe("ReceiveWindow", () => {
  test("receive() takes the whole window and not one byte more", () => {
    const window = new ReceiveWindow(10);
    window.receive(9);
    window.receive(1);
    expect(protocolFault(() => window.receive(1))).toBe("CREDIT_EXCEEDED");
  });

  test("receive() alone never grants again", () => {
    const window = new ReceiveWindow(10);
    window.receive(10);
    expect(protocolFault(() => window.receive(1))).toBe("CREDIT_EXCEEDED");
    expect(window.consume(10)).toBe(10);
    expect(protocolFault(() => window.receive(10))).toBeUndefined();
  });

  test("consume() grants when half the window is owed, then starts again", () => {
    const window = new ReceiveWindow(10);
    window.receive(10);
    expect(window.consume(4)).toBe(0);
    expect(window.consume(1)).toBe(5);
    expect(window.consume(4)).toBe(0);
    expect(window.consume(1)).toBe(5);
  });

  test("consume() counts nothing for nothing", () => {
    expect(new ReceiveWindow(10).consume(0)).toBe(0);
    expect(new ReceiveWindow(0).consume(0)).toBe(0);
  });

  test("widen() grants what the window gains, and what is owed with it", () => {
    const window = new ReceiveWindow(10);
    window.receive(6);
    expect(window.consume(4)).toBe(0);
    expect(window.widen(100)).toBe(94);
    window.receive(98);
    expect(protocolFault(() => window.receive(1))).toBe("CREDIT_EXCEEDED");
  });

  test("widen() to less than it is changes nothing", () => {
    const window = new ReceiveWindow(10);
    expect([window.widen(10), window.widen(0)]).toEqual([0, 0]);
    window.receive(10);
    expect(window.consume(5)).toBe(5);
  });

  test("a window of one byte still moves", () => {
    const window = new ReceiveWindow(1);
    for (let round = 0; round < 3; round++) {
      window.receive(1);
      expect(window.consume(1)).toBe(1);
    }
  });
});
