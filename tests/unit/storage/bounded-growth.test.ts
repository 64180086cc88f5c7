import { expect, test } from "bun:test";
import { BoundedStorage } from "../../../lib/storage/bounded.ts";
import { CountedBudget } from "../../../lib/storage/counted-budget.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { BLOCK, factsOf } from "../../support/bounded-site.ts";
import { facade } from "../../support/facade.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";
import { writeBlock } from "../../support/storing.ts";

const CONTENT = new Uint8Array(2 * BLOCK);

test("what comes while a quota is counted counts, though the count did not see it", async () => {
  let now = 0;
  let written = 0;
  let gate = Promise.resolve();
  const memory = new MemoryStorage();
  const inner = facade(memory, {
    freeBytes: () => Number.MAX_SAFE_INTEGER,
    // A count that is over only when it is let.
    async *unfinished() {
      for await (const one of memory.unfinished()) yield { ...one, size: one.path === "a.part" ? written : 0 };
      await gate;
    },
  });
  const storage = new BoundedStorage(
    inner,
    new CountedBudget(inner, { quotaBytes: 3 * BLOCK, keepFreeBytes: 0 }, () => now),
  );
  const part = await storage.receive("a", factsOf(2 * BLOCK), "fail");
  // Time for another count.
  now += 3_600_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const next = storage.receive("b", factsOf(BLOCK), "fail");
  await settle();
  await writeBlock(part, CONTENT, 0);
  written = BLOCK;
  resolve();
  await next;
  // Two blocks of the one, and one of the other: no more.
  expect(await codeOf(() => storage.receive("c", factsOf(BLOCK), "fail"))).toBe("QUOTA_EXCEEDED");
});
