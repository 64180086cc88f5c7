import { describe, expect, test } from "bun:test";
import type { ServerEvent } from "../../../lib/protocol/methods.ts";
import { Failures } from "../../../lib/server/failures.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("what fails at the server", () => {
  test("again and again fills no log: ten are reported, then a count, and none is lost", async () => {
    const clock = new FakeClock();
    const told: ServerEvent[] = [];
    const failures = new Failures(clock, (event) => told.push(event));
    for (let second = 0; second < 60; second++) {
      for (let at = 0; at < 1_000; at++) {
        failures.note({ name: "Client01", method: "put", code: "NO_SPACE", message: `number ${at}` });
      }
      await clock.advance(1_000);
    }
    failures.note({ name: "Client02", method: "put", code: "NO_SPACE", message: "another's" });
    await clock.advance(5_000);
    const counts = told.map((event) => (event.event === "failed" ? (event.count ?? 1) : 0));
    expect(told.length).toBeLessThanOrEqual(10 + 60 / 5 + 2);
    expect(counts.slice(0, 10)).toEqual(Array(10).fill(1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60_001);
    expect(told).toContainEqual({
      event: "failed",
      name: "Client02",
      method: "put",
      code: "NO_SPACE",
      message: "another's",
    });
    expect(clock.pending).toBe(0);
  });

  test("has a count only if it stands for more than one", () => {
    const told: ServerEvent[] = [];
    const failures = new Failures(new FakeClock(), (event) => told.push(event));
    const failed = { name: "Client01", method: "put", code: "NO_SPACE", message: "full" } as const;
    const note = (times: number) => {
      for (let each = 0; each < times; each++) failures.note(failed);
      failures.flush();
      return told.splice(0);
    };
    expect(note(10)).toEqual(Array(10).fill({ event: "failed", ...failed }));
    expect(note(1)).toEqual([{ event: "failed", ...failed }]);
    expect(note(2)).toEqual([{ event: "failed", ...failed, count: 2 }]);
  });
});
