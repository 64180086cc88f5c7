import { describe, expect, test } from "bun:test";
import { AbuseSite, type Attack, isFull, type Security } from "./site.ts";

/**
 * The memory that a server may keep after an attack: what the collector has not freed yet, however long the attack was.
 */
const MOST_KEPT = 400 * 1024 * 1024;

/** A test for each attack. With COMMSERVER_ABUSE=full they have no time limit. */
export function enduring(what: string, security: Security, attacks: readonly Attack[]): void {
  // Descriptors and memory are read from /proc; attackers come from other addresses of 127.0.0.0/8.
  describe.skipIf(process.platform !== "linux")(
    `${what}${security === "tls" ? ", over TLS" : ""}: an honest client talks and fetches meanwhile, and nothing is left of`,
    () => {
      test.each(attacks.map((attack) => [attack.kind, attack] as const))(
        "%s",
        async (_, attack) => {
          await using site = await AbuseSite.open(security);
          const { before, after } = await site.endure(attack);
          expect(after.seats).toBeLessThanOrEqual(before.seats);
          expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 2);
          expect(after.resident - before.resident).toBeLessThan(MOST_KEPT);
        },
        isFull ? 3_600_000 : undefined,
      );
    },
  );
}
