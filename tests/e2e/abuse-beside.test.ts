/** Who has a token comes in each time, beside somebody at the same address who has none. */
import { describe, expect, test } from "bun:test";
import { endureSiege, SIEGES } from "../support/abuse/siege.ts";
import { isFull } from "../support/abuse/site.ts";

// Processor time is read from /proc.
describe.skipIf(process.platform !== "linux").each(["plain", "tls"] as const)("over %s, beside", (security) => {
  test.each(SIEGES.map((siege) => [siege.kind, siege] as const))(
    "%s a rightful client of the same address comes in every time, and the log stays short",
    async (_, siege) => {
      const { outcomes, lines, refusals } = await endureSiege(security, siege);
      expect(new Set(outcomes)).toEqual(new Set(["write"]));
      expect(outcomes.length).toBeGreaterThan(5);
      // Ten of each code, and then one every five seconds; all of them are counted.
      expect(lines).toBeLessThan(isFull ? 100 : 45);
      expect(refusals).toBeGreaterThan(lines);
    },
    isFull ? 600_000 : undefined,
  );
});
