import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Ledger } from "../../../lib/server/ledger.ts";

const NONE = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };
const SOME = { bytesIn: 1, bytesOut: 2 ** 40, messagesIn: 3, messagesOut: 4 };

let ledger: Ledger;

beforeEach(() => {
  ledger = Ledger.open(":memory:");
});

afterEach(() => ledger.close());

const begin = (count: number) => Array.from({ length: count }, (_, index) => ledger.begin(`address ${index}`, index));
const row = (id: number) => ledger.page(id + 1, 1)[0];

describe("Ledger.begin()", () => {
  test("names the sessions in the order in which they begin, with two digits at least", () => {
    const names = begin(101).map(({ name }) => name);
    expect([names[0], names[1], names[9], names[98], names[99], names[100]]).toEqual(
      ["Client01", "Client02", "Client10", "Client99", "Client100", "Client101"], //
    );
    expect(new Set(names).size).toBe(101);
  });

  test("notes the address and the time", () => {
    const { id, name } = ledger.begin("[2001:db8::1]:50312", 1_700_000_000_123);
    expect(row(id)).toEqual({
      id,
      name,
      address: "[2001:db8::1]:50312",
      startedAt: 1_700_000_000_123,
      endedAt: null,
      reason: null,
      ...NONE,
    });
  });

  test("keeps a hostile address as the text that it is", () => {
    const address = "'; DROP TABLE sessions; --";
    const { id } = ledger.begin(address, 0);
    expect(row(id)?.address).toBe(address);
  });
});

describe("Ledger.end()", () => {
  test("notes time, reason and what was done", () => {
    const { id } = ledger.begin("a", 1_000);
    ledger.end(id, SOME, 5_000, "kicked");
    expect(row(id)).toMatchObject({ startedAt: 1_000, endedAt: 5_000, reason: "kicked", ...SOME });
  });

  test("ends that session alone", () => {
    const [first, second, third] = begin(3).map(({ id }) => id) as [number, number, number];
    ledger.end(second, SOME, 5_000, "exit");
    expect([first, third].map((id) => row(id))).toMatchObject([
      { endedAt: null, ...NONE },
      { endedAt: null, ...NONE },
    ]);
  });
});

describe("Ledger.checkpoint()", () => {
  test("notes what the live sessions have done, which stay open", () => {
    const [first, second, third] = begin(3).map(({ id }) => id) as [number, number, number];
    ledger.checkpoint(
      [
        { id: first, ...SOME },
        { id: third, ...SOME, bytesIn: 77 },
      ],
      9_000,
    );
    expect([first, second, third].map((id) => row(id))).toMatchObject([
      { ...SOME, endedAt: null, reason: null },
      { ...NONE, endedAt: null, reason: null },
      { ...SOME, bytesIn: 77, endedAt: null, reason: null },
    ]);
  });

  test("of nobody, or of a session that is not there, changes nothing", () => {
    begin(2);
    const before = ledger.page(100, 100);
    ledger.checkpoint([], 9_000);
    ledger.checkpoint([{ id: 99, ...SOME }], 9_000);
    expect(ledger.page(100, 100)).toEqual(before);
  });
});

describe("Ledger.page()", () => {
  test.each([
    [100, 3, [7, 6, 5]],
    [5, 3, [4, 3, 2]],
    [2, 3, [1]],
    [1, 3, []],
    [100, 100, [7, 6, 5, 4, 3, 2, 1]],
    [8, 7, [7, 6, 5, 4, 3, 2, 1]],
    [Number.MAX_SAFE_INTEGER, 1, [7]],
  ])("below %i, at most %i: %p", (before, limit, expected) => {
    begin(7);
    expect(ledger.page(before, limit).map(({ id }) => id)).toEqual(expected);
  });

  test("by page leads through all sessions once, newest first", () => {
    const ids = begin(25).map(({ id }) => id);
    const seen: number[] = [];
    for (let before = 1_000; ; ) {
      const page = ledger.page(before, 4);
      seen.push(...page.map(({ id }) => id));
      if (page.length < 4) break;
      before = page.at(-1)?.id ?? 0;
    }
    expect(seen).toEqual(ids.reverse());
    expect(ledger.total()).toBe(25);
  });

  test("gives nothing of an empty ledger", () => {
    expect([ledger.page(100, 100), ledger.total()]).toEqual([[], 0]);
  });
});
