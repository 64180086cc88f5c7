import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { Ledger } from "../../../lib/server/ledger.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestServer } from "../../support/test-server.ts";
import { until } from "../../support/until.ts";

const NONE = { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 };
const LAST = 1_000_000;

let folder: TempFolder;
let file: string;

beforeEach(() => {
  folder = new TempFolder();
  file = folder.join("ledger.sqlite");
  Ledger.open(file).close();
});

afterEach(() => folder[Symbol.dispose]());

/** Put sessions into the closed ledger: their ids, `endedAt` null for those that lived when the server was killed. */
function fill(ids: readonly number[], endedAt: number | null): void {
  const database = new Database(file);
  const insert = database.prepare(
    "INSERT INTO sessions (id, address, startedAt, seenAt, endedAt, reason) VALUES (?, 'a', 1, 2, ?, ?)",
  );
  database.transaction(() => {
    for (const id of ids) insert.run(id, endedAt, endedAt === null ? null : "exit");
  })();
  insert.finalize();
  database.close();
}

describe("a ledger of a million sessions", () => {
  test("tells how many there are by their ids, and counts none", () => {
    fill([1, LAST], 3);
    const ledger = Ledger.open(file);
    expect(ledger.total()).toBe(LAST);
    expect(ledger.begin("b", 4).id).toBe(LAST + 1);
    expect(ledger.total()).toBe(LAST + 1);
    ledger.close();
  });

  test("whose oldest were taken out by hand tells how many are left", () => {
    fill([LAST - 1, LAST], 3);
    const ledger = Ledger.open(file);
    expect(ledger.total()).toBe(2);
    ledger.close();
  });

  test("is walked through by none of its statements, at whatever depth a page begins", () => {
    const prepared = spyOn(Database.prototype, "prepare");
    const ledger = Ledger.open(file);
    const statements = prepared.mock.calls.map(([sql]) => sql);
    prepared.mockRestore();
    ledger.close();
    expect(statements.length).toBeGreaterThanOrEqual(6);
    const database = new Database(file);
    const steps = statements.flatMap((sql) => {
      const plan = database.prepare<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`);
      const details = plan.all().map(({ detail }) => detail);
      plan.finalize();
      return details;
    });
    database.close();
    expect(steps).toContain("SEARCH sessions USING INTEGER PRIMARY KEY (rowid<?)");
    expect(steps.filter((step) => /SCAN sessions|TEMP B-TREE/.test(step))).toEqual([]);
  });
});

describe("sessions that a crash left open", () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);

  test("are reported as crashed before they are recorded, and closed in batches", () => {
    fill(ids, null);
    const ledger = Ledger.open(file);
    const live = ledger.begin("b", 5).id;
    const told = () => ledger.page(LAST, 2_000).map(({ id, endedAt, reason }) => [id, endedAt, reason]);
    const expected = [[live, null, null], ...ids.toReversed().map((id) => [id, 2, "crash"])];
    expect(told()).toEqual(expected);
    const rounds = [ledger.closeCrashed(400), ledger.closeCrashed(400), ledger.closeCrashed(400)];
    expect(rounds).toEqual([true, true, true]);
    expect([ledger.closeCrashed(400), ledger.closeCrashed(400)]).toEqual([false, false]);
    expect(told()).toEqual(expected);
    ledger.close();
  });

  test("are closed by the server, which is up before", async () => {
    fill(ids, null);
    const ledger = Ledger.open(file);
    const closed = spyOn(ledger, "closeCrashed");
    await using _ = new TestServer({ ledger });
    await until(() => closed.mock.results.some(({ value }) => value === false));
    expect(closed.mock.calls.every(([limit]) => limit <= 250)).toBe(true);
    expect(closed.mock.calls.length).toBeGreaterThanOrEqual(4);
  });
});

test("a checkpoint does not open again what has ended", () => {
  const ledger = Ledger.open(":memory:");
  const { id } = ledger.begin("a", 1);
  ledger.end(id, { ...NONE, bytesIn: 7 }, 5, "exit");
  ledger.checkpoint([{ id, ...NONE }], 9);
  expect(ledger.page(LAST, 1)).toMatchObject([{ endedAt: 5, reason: "exit", bytesIn: 7 }]);
  ledger.close();
});
