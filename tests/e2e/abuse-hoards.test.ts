import { describe, expect, test } from "bun:test";
import { DEAD, FEW, HOARDS, hoardSite, MANY } from "../support/abuse/attacks.ts";
import { AbuseSite, isFull } from "../support/abuse/site.ts";

const MB = 1_000_000;
// Where nothing is read from a peer, that it has gone is noticed by the heartbeat.
const PATIENCE_MS = isFull ? 600_000 : 120_000;

// Memory and processor time are read from /proc; many come from several addresses of 127.0.0.0/8.
describe.skipIf(process.platform !== "linux")("beside sessions that hoard an honest client talks and fetches", () => {
  test.each(HOARDS.filter((kind) => kind !== "worst"))(
    "%s: the default seats make a server keep less than 100 MB",
    async (kind) => {
      await using site = await AbuseSite.open("plain", hoardSite(FEW[0]));
      const { peak, fetched } = await site.weigh({ kind, count: FEW });
      expect(fetched).toBe(true);
      expect(peak).toBeLessThan(100 * MB);
    },
    PATIENCE_MS,
  );

  // How much a server keeps then is not held to a bound yet: see the report (tests/integration/abuse-report.ts).
  test(
    "worst: very many sessions keep nobody from talking and fetching, and give their seats back",
    async () => {
      await using site = await AbuseSite.open("plain", hoardSite(isFull ? MANY[1] : MANY[0]));
      expect(await site.weigh({ kind: "worst", count: MANY })).toMatchObject({ fetched: true });
    },
    PATIENCE_MS,
  );

  test.each(DEAD)(
    "$kind: what ten sessions have asked for dies with them",
    async (attack) => {
      await using site = await AbuseSite.open("plain", hoardSite(attack.count[0]));
      const { seconds, peak, fetched } = await site.weigh(attack);
      expect(fetched).toBe(true);
      // Each took more than a second when it did not.
      expect(seconds).toBeLessThan(5);
      expect(peak).toBeLessThan(100 * MB);
    },
    PATIENCE_MS,
  );
});
