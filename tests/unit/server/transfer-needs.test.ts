/** What a transfer reserves covers what it may keep, and little more: the budget is what bounds the server's memory. */
import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import {
  DIGEST_NEED,
  GET_NEED,
  getSizes,
  LIST_NEED,
  PUT_NEED,
  putSizes,
  WEB_PUT_NEED,
  webPutBlocks,
} from "../../../lib/server/transfer-needs.ts";

const KIB = 1024;
const UNLIMITED = Number.POSITIVE_INFINITY;
/** What is reserved beyond what is counted here: batches of small files, answers, what is on its way. */
const SPARE = 1.1 * BLOCK_BYTES;

/** What a `get` may keep: its blocks, and its requests as bytes and ten times that when they are read. */
const keptByGet = (bytes: number) => {
  const { window, blocks } = getSizes(bytes, UNLIMITED);
  return blocks * BLOCK_BYTES + 11 * window;
};

/** What a `put` may keep: a quarter more than its window, its blocks, and the small files that are held. */
const keptByPut = (bytes: number) => {
  const { window, blocks, heldBytes } = putSizes(bytes, UNLIMITED);
  return 1.25 * window + blocks * BLOCK_BYTES + heldBytes;
};

const keptByWebPut = (bytes: number) => webPutBlocks(bytes) * BLOCK_BYTES;

describe.each([
  ["get", GET_NEED, keptByGet],
  ["put", PUT_NEED, keptByPut],
  ["put over HTTP", WEB_PUT_NEED, keptByWebPut],
] as const)("a %s", (_, need, kept) => {
  test.each([need.least, need.most])("with %i bytes keeps no more, and hardly less", (bytes) => {
    expect(kept(bytes)).toBeLessThan(bytes);
    expect(kept(bytes)).toBeGreaterThan(bytes - SPARE);
  });

  test("does with anything below the most what it does with the least", () => {
    expect(kept(need.most - 1)).toBe(kept(need.least));
    expect(kept(need.most)).toBeGreaterThan(kept(need.least));
  });
});

test("a rate makes the window smaller, and nothing else", () => {
  expect(getSizes(GET_NEED.most, 10 * KIB)).toEqual({ ...getSizes(GET_NEED.most, UNLIMITED), window: 10 * KIB });
  expect(putSizes(PUT_NEED.most, 10 * KIB)).toEqual({ ...putSizes(PUT_NEED.most, UNLIMITED), window: 10 * KIB });
  expect(putSizes(PUT_NEED.least, 0).window).toBe(0);
});

test("a digest takes as much at once as two pieces of half a megabyte", () => {
  expect(DIGEST_NEED).toEqual({ least: BLOCK_BYTES, most: BLOCK_BYTES });
});

test("a list takes a quarter of a megabyte, however much there is", () => {
  expect(LIST_NEED).toEqual({ least: 262_144, most: 262_144 });
});
