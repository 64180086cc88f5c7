import { describe, expect, test } from "bun:test";
import { LruMap } from "../../../lib/server/lru-map.ts";

describe("LruMap", () => {
  test("forgets what was used longest ago", () => {
    const map = new LruMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    expect(map.use("a")).toBe(1);
    map.set("c", 3);
    expect(["a", "b", "c"].map((key) => map.peek(key))).toEqual([1, undefined, 3]);
  });

  test("peek() is no use", () => {
    const map = new LruMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.peek("a");
    map.set("c", 3);
    expect(map.peek("a")).toBeUndefined();
  });

  test("counts costs, also of what is replaced and deleted", () => {
    const map = new LruMap<string, number>(10, (value) => value);
    map.set("a", 6);
    map.set("b", 4);
    map.set("a", 5);
    expect([map.peek("a"), map.peek("b")]).toEqual([5, 4]);
    map.delete("b");
    map.delete("b");
    map.set("c", 5);
    expect([map.peek("a"), map.peek("c")]).toEqual([5, 5]);
    map.set("d", 1);
    expect([map.peek("a"), map.peek("c"), map.peek("d")]).toEqual([undefined, 5, 1]);
  });

  test("keeps nothing that costs more than all", () => {
    const map = new LruMap<string, number>(3, (value) => value);
    map.set("a", 4);
    expect(map.peek("a")).toBeUndefined();
    map.set("b", 3);
    expect(map.peek("b")).toBe(3);
  });

  test("drops what is not needed any more, up to the first that is", () => {
    const map = new LruMap<string, number>(10);
    for (const [key, value] of [
      ["a", 1],
      ["b", 2],
      ["c", 9],
      ["d", 1],
    ] as const)
      map.set(key, value);
    map.dropUnneeded((value) => value > 5);
    expect(["a", "b", "c", "d"].map((key) => map.peek(key))).toEqual([undefined, undefined, 9, 1]);
  });
});
