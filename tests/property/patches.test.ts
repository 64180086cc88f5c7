/** Random changes of a file: it arrives as it is, and little else crosses than what has changed. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, PIECE_BYTES } from "../../lib/block.ts";
import { blockTag } from "../../lib/storage/local/block-tag.ts";
import type { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { downloading, meddledClient, uploading } from "../support/moving.ts";
import { readWhole } from "../support/repository.ts";
import { noise } from "../support/transport-recorder.ts";

const MAX_BYTES = 3 * BLOCK_BYTES;
const BYTES = noise(MAX_BYTES, 5);
/** Offers, tags and headers, for each block. */
const PER_BLOCK = 600;
const OVERHEAD = 2_000;

const size = fc.oneof(
  fc.integer({ min: 0, max: MAX_BYTES }),
  fc.constantFrom(0, PIECE_BYTES, BLOCK_BYTES, BLOCK_BYTES + 1, BLOCK_BYTES + PIECE_BYTES, 2 * BLOCK_BYTES, MAX_BYTES),
);
const edit = fc.record({
  at: fc.integer({ min: 0, max: MAX_BYTES }),
  length: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.integer({ min: 1, max: BLOCK_BYTES })),
  seed: fc.integer({ min: 100, max: 999 }),
});

/** The bytes of all pieces of `after` that are no pieces of `before` at the same place. */
function changedBytes(before: Buffer, after: Buffer): number {
  let bytes = 0;
  for (let at = 0; at < after.length; at += PIECE_BYTES) {
    const piece = after.subarray(at, at + PIECE_BYTES);
    if (!piece.equals(before.subarray(at, at + PIECE_BYTES))) bytes += piece.length;
  }
  return bytes;
}

test.each([
  ["fetched", true],
  ["sent", false],
])("a file that is %s onto an older state arrives whole, and only what has changed crosses", async (_, isFetched) => {
  await fc.assert(
    fc.asyncProperty(size, size, fc.array(edit, { maxLength: 6 }), async (oldSize, newSize, edits) => {
      const before = Buffer.from(BYTES.subarray(0, oldSize));
      const after = Buffer.from(BYTES.subarray(0, newSize));
      for (const { at, length, seed } of edits)
        after.set(noise(length, seed).subarray(0, Math.max(0, newSize - at)), Math.min(at, newSize));
      const options = { exists: "overwrite", blockTag } as const;
      await using moved = isFetched ? downloading(options) : uploading(options);
      const there = moved.server.storage as MemoryStorage;
      const [source, target] = isFetched ? [there, moved.local] : [moved.local, there];
      source.set("a", after, 9);
      target.set("a", before, 5);
      const { client, link } = await meddledClient(moved.server);
      await moved.transfer.run(client);
      expect((await readWhole(target, "a")).equals(after)).toBe(true);
      const mayReuse = oldSize > BLOCK_BYTES && newSize > BLOCK_BYTES;
      const bound = (mayReuse ? changedBytes(before, after) : newSize) + OVERHEAD + 4 * PER_BLOCK;
      expect(link.bytesIn + link.bytesOut).toBeLessThan(bound);
      const whole = newSize - (link.bytesIn + link.bytesOut);
      if (mayReuse) expect(moved.told.reused).toBeGreaterThanOrEqual(whole);
    }),
    { numRuns: 15 },
  );
});
