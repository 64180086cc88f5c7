import { describe, expect, test } from "bun:test";
import type { ErrorCode } from "../../../lib/errors.ts";
import type { ServerEvent } from "../../../lib/protocol/methods.ts";
import { Refusals } from "../../../lib/server/refusals.ts";
import { FakeClock } from "../../support/fake-clock.ts";

class Site {
  readonly clock = new FakeClock();
  readonly told: ServerEvent[] = [];
  readonly refusals = new Refusals(this.clock, (event) => this.told.push(event));

  refuse(times: number, group = "198.51.100.7", code: ErrorCode = "THROTTLED"): void {
    for (let port = 1; port <= times; port++) {
      this.refusals.note({ address: `${group}:${port}`, group, code, message: `number ${port}` });
    }
  }

  get counts(): (number | undefined)[] {
    return this.told.map((event) => (event.event === "refused" ? (event.count ?? 1) : undefined));
  }
}

const ones = (count: number) => Array<number>(count).fill(1);

describe("who is refused", () => {
  test("is reported at once, with address, code and message", () => {
    const site = new Site();
    site.refuse(2);
    const told = { event: "refused", code: "THROTTLED" } as const;
    expect(site.told).toEqual([
      { ...told, address: "198.51.100.7:1", message: "number 1" },
      { ...told, address: "198.51.100.7:2", message: "number 2" },
    ]);
    expect(site.clock.pending).toBe(0);
  });

  test("a thousand times a second is reported ten times, then counted every 5 seconds, and none is lost", async () => {
    const site = new Site();
    for (let second = 0; second < 60; second++) {
      site.refuse(1_000);
      await site.clock.advance(1_000);
    }
    await site.clock.advance(5_000);
    expect(site.counts.length).toBeLessThanOrEqual(10 + 60 / 5 + 1);
    expect(site.counts.slice(0, 10)).toEqual(ones(10));
    expect(site.counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(60_000);
    expect(site.told.at(-1)).toMatchObject({ address: "198.51.100.7:1000", message: "number 1000" });
    expect(site.clock.pending).toBe(0);
  });

  test("by one address, or with one code, hides no other", () => {
    const site = new Site();
    site.refuse(50);
    const before = site.told.length;
    site.refuse(1, "198.51.100.8");
    site.refuse(1, "198.51.100.7", "HANDSHAKE_TIMEOUT");
    expect(site.told.slice(before)).toMatchObject([{ address: "198.51.100.8:1" }, { code: "HANDSHAKE_TIMEOUT" }]);
  });

  test("and was only counted is reported when the server stops, and no timer is left", () => {
    const site = new Site();
    site.refuse(25);
    site.refuse(13, "198.51.100.8");
    site.refusals.flush();
    expect(site.counts).toEqual([...ones(20), 15, 3]);
    expect(site.clock.pending).toBe(0);
  });

  test("from very many addresses is counted for a limited number of them; others are reported early", () => {
    const site = new Site();
    for (let host = 0; host < 10_001; host++) site.refuse(12, `host ${host}`);
    expect(site.clock.pending).toBe(10_000);
    expect(site.counts.filter((count) => count !== 1)).toEqual([2]);
    site.refusals.flush();
    expect(site.counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(12 * 10_001);
  });
});
