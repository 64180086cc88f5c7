import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { BlockDigestCache } from "../../../lib/server/block-digests.ts";
import type { StorageEntry } from "../../../lib/storage/storage.ts";

const entry = (path: string, size = 100_000): StorageEntry => ({
  path,
  kind: "file",
  size,
  modifiedAt: 0,
  executable: false,
  etag: "e",
});

describe("BlockDigestCache", () => {
  test("keeps the digests of a state of a file", () => {
    const cache = new BlockDigestCache();
    cache.of(entry("a"))?.set(0, 7n);
    expect(cache.of(entry("a"))?.get(0)).toBe(7n);
    expect(cache.of({ ...entry("a"), etag: "f" })?.get(0)).toBeUndefined();
  });

  test("keeps so many files, however small they are, and forgets those that were used longest ago", () => {
    const cache = new BlockDigestCache();
    cache.of(entry("first"))?.set(0, 7n);
    cache.of(entry("used"))?.set(0, 8n);
    for (let index = 0; index < 20_000; index++) {
      cache.of(entry(`f${index}`))?.set(0, 9n);
      if (index % 1_000 === 0) cache.of(entry("used"));
    }
    expect(cache.of(entry("used"))?.get(0)).toBe(8n);
    expect(cache.of(entry("first"))?.get(0)).toBeUndefined();
  });

  test("keeps only the last state of a file: one that changes all the time pushes nothing out", () => {
    const cache = new BlockDigestCache();
    cache.of(entry("first"))?.set(0, 7n);
    for (let index = 0; index < 20_000; index++) cache.of({ ...entry("log"), etag: `${index}` })?.set(0, 9n);
    expect(cache.of(entry("first"))?.get(0)).toBe(7n);
  });

  test("keeps a million digests; each file costs 64 more", () => {
    const cache = new BlockDigestCache();
    const isKnown = () => cache.of(entry("first"))?.get(0) === 7n;
    const fill = (name: string, count: number) => {
      for (let index = 0; index < count; index++) cache.of(entry(`${name}${index}`))?.set(0, 9n);
    };
    cache.of(entry("first"))?.set(0, 7n);
    const most = Math.floor(1_000_000 / 65);
    fill("a", most - 1);
    expect(isKnown()).toBe(true);
    fill("b", most);
    expect(isKnown()).toBe(false);
  });

  test("keeps none of a file that has more blocks than that", () => {
    const cache = new BlockDigestCache();
    const size = 1_000_000 * BLOCK_BYTES;
    expect(cache.of(entry("largest", size + 1))).toBeUndefined();
    expect(cache.of(entry("large", size))).toBeDefined();
  });

  test("keeps the digest of each block, and knows which it has not", () => {
    const cache = new BlockDigestCache();
    const size = 3 * BLOCK_BYTES + 1;
    cache.of(entry("a", size))?.set(3 * BLOCK_BYTES, 7n);
    const digests = [0, 1, 2, 3].map((block) => cache.of(entry("a", size))?.get(block * BLOCK_BYTES));
    expect(digests).toEqual([undefined, undefined, undefined, 7n]);
  });
});
