import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { warningText } from "../../../lib/cli/server/warning-words.ts";
import { capacityFor } from "../../../lib/daemon/capacity.ts";
import { budgetDescriptors } from "../../../lib/daemon/descriptor-budget.ts";

const WANTED = { maxClients: 3, maxWaiting: 16, maxPassing: 5_120, maxWeb: 0 };

describe("what the descriptors allow", () => {
  test("is all that is wanted where there are plenty", () => {
    expect(capacityFor(20_000, WANTED)).toMatchObject({ ...WANTED, isEnough: true });
  });

  // Eight descriptors are spare, and a quarter of the rest is for files; a third of the connections is in its handshake.
  test.each([
    [1_000, { maxClients: 3, maxWaiting: 16, maxPassing: 464, maxFiles: 509, isEnough: true }],
    [200, { maxClients: 3, maxWaiting: 16, maxPassing: 64, maxFiles: 109, isEnough: true }],
    [72, { maxClients: 3, maxWaiting: 16, maxPassing: 16, maxFiles: 29, isEnough: false }],
    [48, { maxClients: 3, maxWaiting: 16, maxPassing: 10, maxFiles: 11, isEnough: false }],
    [40, { maxClients: 3, maxWaiting: 13, maxPassing: 8, maxFiles: 8, isEnough: false }],
    [20, { maxClients: 3, maxWaiting: 2, maxPassing: 3, maxFiles: 4, isEnough: false }],
    [16, { maxClients: 2, maxWaiting: 0, maxPassing: 2, maxFiles: 4, isEnough: false }],
    [3, { maxClients: 2, maxWaiting: 0, maxPassing: 2, maxFiles: 4, isEnough: false }],
  ])("is, of %i: %j", (free, capacity) => {
    expect(capacityFor(free, WANTED)).toEqual({ ...capacity, maxWeb: 0 });
  });

  test.each([3, 100])(
    "is enough for %i seats when the server and each seat can open the files that they should",
    (maxClients) => {
      const capacity = (free: number) => capacityFor(free, { ...WANTED, maxClients });
      let least = 16;
      while (!capacity(least).isEnough) least++;
      expect(capacity(least).maxFiles).toBe(32 + 4 * maxClients);
      expect(capacity(least - 1)).toMatchObject({ maxClients, maxWaiting: 16, maxFiles: 31 + 4 * maxClients });
    },
  );

  test("never promises more connections and files than there are, and leaves some of each kind", () => {
    const wanted = fc.record({
      maxClients: fc.integer({ min: 1, max: 100_000 }),
      maxWaiting: fc.nat(100_000),
      maxPassing: fc.constant(5_120),
      maxWeb: fc.constantFrom(0, 1_408, 1_000_000),
    });
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 2_000_000 }), wanted, (free, all) => {
        const { maxClients, maxWaiting, maxPassing, maxWeb, maxFiles, isEnough } = capacityFor(free, all);
        expect(maxClients + maxWaiting + maxPassing + maxWeb + maxFiles).toBeLessThanOrEqual(free - 8);
        expect(Math.min(maxClients, maxPassing)).toBeGreaterThanOrEqual(1);
        expect(maxFiles).toBeGreaterThanOrEqual(3);
        expect([maxClients <= all.maxClients, maxWaiting <= all.maxWaiting]).toEqual([true, true]);
        if (isEnough)
          expect({ maxClients, maxWaiting }).toEqual({ maxClients: all.maxClients, maxWaiting: all.maxWaiting });
      }),
    );
  });
});

describe("the room of a server", () => {
  test("is what the flags say where no limit is known, or it is high, without a warning", () => {
    const all = {
      maxClients: 3,
      maxWaiting: 16,
      maxPassing: 5_120,
      maxUnadmitted: 1_024,
      maxUnadmittedPerAddress: 256,
    };
    expect(budgetDescriptors(WANTED, { limit: undefined, open: 10 })).toMatchObject({
      ...all,
      maxFiles: undefined,
      closeFrom: undefined,
    });
    const room = budgetDescriptors(WANTED, { limit: 20_000, open: 10 });
    expect(room).toMatchObject({ ...all, warnings: [], closeFrom: { clients: 19_998, operators: 19_999 } });
    expect(room.maxFiles).toBeGreaterThan(10_000);
  });

  test("is reported when it is less than wanted, with what is left and what to do", () => {
    const { warnings, maxClients, maxWaiting, maxFiles } = budgetDescriptors(
      { maxClients: 64, maxWaiting: 16 },
      { limit: 32, open: 10 },
    );
    expect(warnings.map(warningText)).toEqual([
      `Only 32 files may be open at once, too few for 64 seats and 16 waiting clients. The server has only ${maxClients} seats, ` +
        `${maxWaiting} waiting clients, ${maxFiles} open files. Raise the limit (ulimit -Hn, LimitNOFILE=).`,
    ]);
    expect(maxClients).toBeLessThan(20);
  });

  test("leaves room for last words among those that pass", () => {
    for (let limit = 26; limit < 300; limit++) {
      const { maxUnadmitted, maxPassing } = budgetDescriptors(WANTED, { limit, open: 10 });
      expect(maxUnadmitted).toBeGreaterThanOrEqual(1);
      expect(maxUnadmitted).toBeLessThan(maxPassing);
    }
  });
});
