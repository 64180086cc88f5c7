import { describe, expect, test } from "bun:test";
import { ChunkKind } from "../../../lib/protocol/chunk.ts";
import type { Chunk } from "../../../lib/transfer/chunk-reader.ts";
import { SmallFile } from "../../../lib/transfer/small-file.ts";
import { codeOf } from "../../support/fault.ts";
import { factsOf } from "../../support/storing.ts";

const CONTENT = Buffer.from("0123456789");

/** A block in `buffer`, which is somebody else's again after release(). */
function blockIn(buffer: Uint8Array, changes: Partial<Chunk> = {}): Chunk & { released: number } {
  const payload = buffer.subarray(0, CONTENT.length);
  payload.set(CONTENT);
  const block = {
    ...{ kind: ChunkKind.BLOCK, id: 0, offset: 0, length: payload.length, digest: 0n, payload, room: payload },
    ...{ intact: true, isLent: true, released: 0, ...changes },
    release() {
      block.released++;
      if (block.isLent) buffer.fill(0);
    },
  };
  return block;
}

describe("SmallFile", () => {
  test("keeps its bytes when the buffer that was lent for them is another block's again", () => {
    const file = new SmallFile("a", factsOf(CONTENT));
    const block = blockIn(new Uint8Array(64));
    file.take(block);
    expect(block.released).toBe(1);
    expect(Buffer.from(file.sealed() ?? []).toString()).toBe("0123456789");
  });

  test("keeps its bytes when more is waited for, and what has arrived is gone", () => {
    const buffer = new Uint8Array(64);
    const file = new SmallFile("a", factsOf(CONTENT));
    file.take(blockIn(buffer, { isLent: false }));
    file.detach();
    buffer.fill(0);
    file.detach();
    expect(Buffer.from(file.sealed() ?? []).toString()).toBe("0123456789");
  });

  test("does not take a damaged block, gives its buffer back, and asks for it five times", async () => {
    const file = new SmallFile("a", factsOf(CONTENT));
    for (let round = 0; round < 5; round++) {
      const block = blockIn(new Uint8Array(64), { intact: false });
      file.take(block);
      expect([block.released, file.sealed()]).toEqual([1, undefined]);
    }
    expect(await codeOf(() => file.sealed())).toBe("DIGEST_MISMATCH");
  });

  test.each([
    ["at another offset", { offset: 1_048_576 }],
    ["of another length", { payload: new Uint8Array(9) }],
  ])("refuses a block %s, and gives its buffer back", async (_, changes) => {
    const file = new SmallFile("a", factsOf(CONTENT));
    const block = blockIn(new Uint8Array(64), changes);
    expect(await codeOf(() => file.take(block))).toBe("BAD_PAYLOAD");
    expect([block.released, file.bytes]).toEqual([1, undefined]);
  });

  test("has all its bytes from the start when it has none", () => {
    expect(new SmallFile("a", factsOf(new Uint8Array(0))).sealed()).toEqual(new Uint8Array(0));
  });

  test("that is given up has none", () => {
    const file = new SmallFile("a", factsOf(CONTENT));
    file.take(blockIn(new Uint8Array(64)));
    file.drop();
    expect(file.sealed()).toBeUndefined();
  });
});
