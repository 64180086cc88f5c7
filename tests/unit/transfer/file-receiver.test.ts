import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { StorageError } from "../../../lib/errors.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type { PartFile } from "../../../lib/storage/storage.ts";
import { BlockPool } from "../../../lib/transfer/block-pool.ts";
import { ChunkReader } from "../../../lib/transfer/chunk-reader.ts";
import { FileReceiver } from "../../../lib/transfer/file-receiver.ts";
import { pieces } from "../../support/bytes.ts";
import { bodyOf, chunk } from "../../support/chunks.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { watch } from "../../support/outcomes.ts";
import { readWhole } from "../../support/repository.ts";
import { blocksOf, factsOf } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const CONTENT = noise(3 * BLOCK_BYTES + 50);
const BLOCKS = blocksOf(CONTENT, [[0, CONTENT.length]]).map(({ offset }) => offset);

/** A block of CONTENT on the wire; damaged ones have another digest. */
function wire(offset: number, damaged = false): Buffer {
  const bytes = CONTENT.subarray(offset, offset + BLOCK_BYTES);
  return chunk("BLOCK", 1, bytes, damaged ? { offset, digest: 1n } : { offset });
}

/** A receiver in memory, fed through a reader with so few buffers that each must be given back. */
async function receiving(wrap: (part: PartFile) => PartFile = (part) => part) {
  const storage = new MemoryStorage();
  const progress: number[] = [];
  const part = await storage.receive("a", factsOf(CONTENT), "fail");
  const receiver = new FileReceiver(wrap(part), (bytes) => progress.push(bytes));
  const pool = new BlockPool(2);
  const take = async (...bodies: Buffer[]) => {
    const reader = new ChunkReader(bodyOf(pieces(Buffer.concat(bodies), 300_000)), pool, digest64);
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) receiver.take(next);
  };
  return { storage, part, receiver, progress, take, pool };
}

/** A part whose writes fail, or wait. */
function withWrite(write: (offset: number) => Promise<boolean | undefined>) {
  return (part: PartFile): PartFile => ({
    ...part,
    path: part.path,
    facts: part.facts,
    get missing() {
      return part.missing;
    },
    get present() {
      return part.present;
    },
    write: async (offset, bytes, digest) => (await write(offset)) ?? part.write(offset, bytes, digest),
  });
}

describe("FileReceiver", () => {
  test("has the file whole when all blocks have come, in any order", async () => {
    const { storage, part, receiver, progress, take } = await receiving();
    await take(...[3, 0, 2, 1].map((at) => wire(BLOCKS[at] as number)));
    expect(await receiver.sealed()).toEqual([]);
    expect(progress.reduce((sum, bytes) => sum + bytes, 0)).toBe(CONTENT.length);
    await part.commit();
    expect((await readWhole(storage, "a")).equals(CONTENT)).toBe(true);
  });

  test("drops a damaged block, which is missing at the end, and takes it when it comes again", async () => {
    const { receiver, progress, take } = await receiving();
    await take(...BLOCKS.map((offset) => wire(offset, offset === BLOCK_BYTES)));
    expect((await receiver.sealed()).map((range) => [...range])).toEqual([[BLOCK_BYTES, 2 * BLOCK_BYTES]]);
    await take(wire(BLOCK_BYTES));
    expect(await receiver.sealed()).toEqual([]);
    expect(progress).toHaveLength(BLOCKS.length);
  });

  test("tells the progress of a block that comes twice once", async () => {
    const { receiver, progress, take } = await receiving();
    await take(wire(0), wire(0));
    await receiver.settle();
    expect(progress).toEqual([BLOCK_BYTES]);
  });

  test("asks five times for what is damaged, then gives up with DIGEST_MISMATCH", async () => {
    const { receiver, take } = await receiving();
    for (let round = 0; round < 5; round++) {
      await take(wire(0, true));
      expect(await receiver.sealed()).not.toBeEmpty();
    }
    await take(wire(0, true));
    const fault = await faultOf(() => receiver.sealed());
    expect(fault.code).toBe("DIGEST_MISMATCH");
    expect(fault.message).toContain('"a"');
  });

  test.each([
    ["too short", chunk("BLOCK", 1, CONTENT.subarray(0, 100))],
    ["behind the end", chunk("BLOCK", 1, CONTENT.subarray(0, 50), { offset: 10 * BLOCK_BYTES })],
    ["too long for the last", chunk("BLOCK", 1, CONTENT.subarray(0, 51), { offset: 3 * BLOCK_BYTES })],
  ])("says BAD_PAYLOAD for a block that is none of the file: %s", async (_, bad) => {
    const { receiver, take, progress } = await receiving();
    expect(await codeOf(() => take(bad))).toBe("BAD_PAYLOAD");
    await receiver.settle();
    expect(progress).toEqual([]);
  });

  test("surfaces what a write met, in the next take() and in sealed()", async () => {
    const failure = new StorageError("DISK_FULL", "No room.");
    const { receiver, take, progress } = await receiving(
      withWrite(async (offset) => {
        if (offset > 0) throw failure;
        return undefined;
      }),
    );
    await take(wire(0), wire(BLOCK_BYTES));
    await receiver.settle();
    expect(await faultOf(() => take(wire(2 * BLOCK_BYTES)))).toBe(failure);
    expect(await faultOf(() => receiver.sealed())).toBe(failure);
    expect(progress).toEqual([BLOCK_BYTES]);
  });

  test("gives every buffer back, whatever became of its block", async () => {
    let writes = 0;
    const { receiver, take, pool } = await receiving(
      withWrite(async () => {
        if (++writes === 3) throw new StorageError("DISK_FULL", "No room.");
        return undefined;
      }),
    );
    await take(wire(0), wire(0, true), wire(0), wire(BLOCK_BYTES)).catch(() => {});
    await receiver.settle();
    await take(wire(2 * BLOCK_BYTES)).catch(() => {});
    await take(chunk("BLOCK", 1, CONTENT.subarray(0, 100))).catch(() => {});
    // Both buffers are free again.
    expect(pool.take()).toBeInstanceOf(Uint8Array);
    expect(pool.take()).toBeInstanceOf(Uint8Array);
    expect(pool.take()).toBeInstanceOf(Promise);
  });

  test("waits in sealed() and settle() for the writes under way", async () => {
    const gate = Promise.withResolvers<undefined>();
    const { receiver, take } = await receiving(withWrite(() => gate.promise));
    await take(wire(0));
    const sealed = watch(receiver.sealed());
    const settled = watch(receiver.settle());
    await Promise.resolve();
    expect([sealed.state, settled.state]).toEqual(["pending", "pending"]);
    gate.resolve(undefined);
    await receiver.settle();
    expect(await receiver.settle()).toBeUndefined();
  });
});
