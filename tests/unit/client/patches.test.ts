import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, PIECE_BYTES } from "../../../lib/block.ts";
import { Client } from "../../../lib/client/client.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { blockTag } from "../../../lib/storage/local/block-tag.ts";
import type { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { memoryPair } from "../../../lib/transport/memory-transport.ts";
import type { RawFrame } from "../../support/frames.ts";
import type { Meddling } from "../../support/meddler.ts";
import { downloading, type Moved, meddledClient, uploading } from "../../support/moving.ts";
import { withoutCapability } from "../../support/older-client.ts";
import { readWhole } from "../../support/repository.ts";
import { noise } from "../../support/transport-recorder.ts";

const REUSE = { exists: "overwrite", blockTag } as const;
/** What the offer of a block takes, and what comes of one that has not changed. */
const PER_BLOCK = 600;
/** Headers and facts of one file, and the frames. */
const OVERHEAD = 2_000;

const BLOCKS = 4;
const OLD = noise(BLOCKS * BLOCK_BYTES + 5, 3);

/** `bytes` with other content at these places. */
function edited(bytes: Uint8Array, ...edits: [offset: number, content: string][]): Uint8Array {
  const copy = Buffer.from(bytes);
  for (const [offset, content] of edits) copy.write(content, offset);
  return copy;
}

function cutAfter(bytes: number): (frame: RawFrame) => Meddling {
  let come = 0;
  return ({ name, payload }) => {
    if (name === "DATA") come += payload.length;
    return come > bytes ? "cut" : undefined;
  };
}

interface Way {
  readonly name: string;
  make(options?: object): Moved<{ run(client: any): Promise<void>; close(): Promise<void> }>;
  source(moved: Moved<unknown>): MemoryStorage;
  target(moved: Moved<unknown>): MemoryStorage;
}

const DOWN: Way = {
  name: "a download",
  make: (options) => downloading({ ...REUSE, ...options }),
  source: ({ server }) => server.storage as MemoryStorage,
  target: ({ local }) => local,
};
const UP: Way = {
  name: "an upload",
  make: (options) => uploading({ ...REUSE, ...options }),
  source: ({ local }) => local,
  target: ({ server }) => server.storage as MemoryStorage,
};

describe.each([DOWN, UP])("$name onto an older state", ({ make, source, target }) => {
  async function move(before: Uint8Array, after: Uint8Array, options: object = {}) {
    await using moved = make(options);
    source(moved).set("a", after, 9);
    target(moved).set("a", before, 5);
    const { client, link } = await meddledClient(moved.server);
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect((await readWhole(target(moved), "a")).equals(after)).toBe(true);
    return { bytes: link.bytesIn + link.bytesOut, told: moved.told };
  }

  test("moves only the pieces that have changed", async () => {
    const after = edited(OLD, [0, "x"], [3 * BLOCK_BYTES - 3, "across"], [OLD.length - 1, "z"]);
    const { bytes, told } = await move(OLD, after);
    expect(bytes).toBeLessThan(4 * PIECE_BYTES + BLOCKS * PER_BLOCK + OVERHEAD);
    expect(told.progress).toBe(after.length);
    expect(told.reused).toBeGreaterThan(after.length - 4 * PIECE_BYTES);
  });

  test("moves what a log has grown by", async () => {
    const grown = Buffer.concat([OLD, noise(3 * BLOCK_BYTES, 9)]);
    const { bytes } = await move(OLD, grown);
    expect(bytes).toBeLessThan(3 * BLOCK_BYTES + PIECE_BYTES + (BLOCKS + 3) * PER_BLOCK + OVERHEAD);
  });

  test.each([
    ["shorter", OLD.subarray(0, 3 * BLOCK_BYTES + 7)],
    ["shorter by whole blocks", OLD.subarray(0, 3 * BLOCK_BYTES)],
    ["the same", OLD],
  ])("moves next to nothing when the new one is %s", async (_, after) => {
    const { bytes } = await move(OLD, after);
    expect(bytes).toBeLessThan(2 * PIECE_BYTES + BLOCKS * PER_BLOCK + OVERHEAD);
  });

  test("moves all of it when nothing is the same, and little more than that", async () => {
    const after = noise(OLD.length, 77);
    const { bytes, told } = await move(OLD, after);
    expect(bytes).toBeLessThan(after.length + (BLOCKS + 1) * PER_BLOCK + OVERHEAD);
    expect(told.reused).toBe(0);
  });

  test("moves all of it when that is wanted, and when one of them is small", async () => {
    const after = edited(OLD, [5, "x"]);
    expect((await move(OLD, after, { blockTag: undefined })).bytes).toBeGreaterThan(after.length);
    await move(noise(BLOCK_BYTES), after);
    await move(OLD, noise(BLOCK_BYTES, 5));
    await move(OLD, new Uint8Array(0));
    await move(new Uint8Array(0), OLD);
  });

  test("does not touch what is there when it may not be replaced", async () => {
    await using moved = make({ exists: "fail" });
    source(moved).set("a", edited(OLD, [5, "x"]), 9);
    target(moved).set("a", OLD, 5);
    const { client, link } = await meddledClient(moved.server);
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["EXISTS a"]);
    expect(link.bytesIn + link.bytesOut).toBeLessThan(OVERHEAD);
  });

  test("offers more blocks than one record holds, and goes on after lost links with what is missing", async () => {
    await using moved = make();
    const old = Buffer.alloc(LONG * BLOCK_BYTES + 5, OLD);
    const after = edited(old, [0, "x"], [9 * BLOCK_BYTES, "y"], [(LONG - 1) * BLOCK_BYTES, "z"]);
    source(moved).set("a", after, 9);
    target(moved).set("a", old, 5);
    let [bytes, runs] = [0, 0];
    for (let done = false; !done; runs++) {
      const onDATA = cutAfter(20_000 + runs * 4_000);
      const { client, link } = await meddledClient(moved.server, { onIncoming: onDATA, onOutgoing: onDATA });
      done = await moved.transfer.run(client).then(
        () => true,
        () => false,
      );
      bytes += link.bytesIn + link.bytesOut;
    }
    expect(runs).toBeGreaterThan(1);
    expect(bytes).toBeLessThan(runs * (MAX_REPEATED + OVERHEAD) + 3 * PIECE_BYTES + LONG * PER_BLOCK);
    expect((await readWhole(target(moved), "a")).equals(after)).toBe(true);
  });

  test("stores what was sent although the older state is replaced meanwhile", async () => {
    await using moved = make();
    const after = edited(OLD, [5, "x"]);
    source(moved).set("a", after, 9);
    target(moved).set("a", OLD, 5);
    let come = 0;
    const onAny = ({ name }: RawFrame) => {
      if (name === "DATA" && ++come === 2) target(moved).set("a", noise(OLD.length, 8), 6);
      return undefined;
    };
    const { client } = await meddledClient(moved.server, { onIncoming: onAny, onOutgoing: onAny });
    await moved.transfer.run(client);
    expect(moved.told.outcomes).toEqual(["stored a"]);
    expect((await readWhole(target(moved), "a")).equals(after)).toBe(true);
  });

  test("moves all of it when the other side does not know of patches", async () => {
    await using moved = make();
    const after = edited(OLD, [5, "x"]);
    source(moved).set("a", after, 9);
    target(moved).set("a", OLD, 5);
    const [ours, theirs] = memoryPair();
    moved.server.server.accept(ours, "write");
    const transport = withoutCapability(theirs, "patches");
    const terms = { clock: systemClock, agent: "older", wait: false, timeoutMs: 5_000 };
    await moved.transfer.run(await Client.connect({ transport, ...terms }));
    expect([moved.told.outcomes, moved.told.reused]).toEqual([["stored a"], 0]);
    expect((await readWhole(target(moved), "a")).equals(after)).toBe(true);
  });
});

/** Blocks of a file of which three records offer the pieces, and more than may be offered ahead. */
const LONG = 70;
/** What may be sent again after a lost link. */
const MAX_REPEATED = 128 * 1024;
