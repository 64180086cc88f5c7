import { describe, expect, test } from "bun:test";
import { freeOf } from "../../../lib/storage/local/free-space.ts";

const ROOM = { bavail: 100, blocks: 1_000, bsize: 131_072 };

describe("free space", () => {
  test("counts by the unit of the blocks, not by the size of a good read", () => {
    expect(freeOf({ ...ROOM, frsize: 4_096 })).toBe(409_600);
  });

  test("counts by the size of a good read where the system tells no other", () => {
    expect(freeOf(ROOM)).toBe(13_107_200);
    expect(freeOf({ ...ROOM, frsize: 0 })).toBe(13_107_200);
  });

  test("is unknown on a disk of no blocks, and none on one that is full", () => {
    expect(freeOf({ ...ROOM, bavail: 0, blocks: 0 })).toBe(Number.POSITIVE_INFINITY);
    expect(freeOf({ ...ROOM, bavail: 0 })).toBe(0);
  });
});
