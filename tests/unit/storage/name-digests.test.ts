import { expect, test } from "bun:test";
import fc from "fast-check";
import { NameDigests } from "../../../lib/storage/local/watch/name-digests.ts";

test("a set of names has what was added and not deleted, in whatever order", () => {
  const step = fc.record({ name: fc.integer({ min: 0, max: 60 }).map((index) => `name-${index}`), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const names = new NameDigests();
      const expected = new Set<string>();
      for (const { name, add } of steps) {
        if (add) {
          names.add(name);
          expected.add(name);
        } else {
          expect(names.delete(name)).toBe(expected.delete(name));
        }
        expect(names.count).toBe(expected.size);
      }
      for (let index = 0; index <= 60; index++) expect(names.has(`name-${index}`)).toBe(expected.has(`name-${index}`));
    }),
  );
});

test("a hundred thousand names are told apart, and removed again", () => {
  const names = new NameDigests();
  for (let index = 0; index < 100_000; index++) names.add(`there ${index}`);
  let found = 0;
  for (let index = 0; index < 100_000; index++) if (names.has(`missing ${index}`)) found++;
  expect(found).toBeLessThan(20);
  // One or two of them may have shared a digest.
  for (let index = 0; index < 100_000; index++) names.delete(`there ${index}`);
  expect(names.count).toBe(0);
});

test("what it takes follows the number of names, up and down again", () => {
  const tables: number[] = [];
  const table = Int32Array;
  globalThis.Int32Array = new Proxy(table, {
    construct(target, args: [number]) {
      tables.push(args[0]);
      return new target(...args);
    },
  });
  try {
    const names = new NameDigests();
    for (let index = 0; index < 1_000; index++) names.add(`${index}`);
    expect(tables).toEqual([8, 16, 32, 64, 128, 256, 512, 1_024, 2_048]);
    for (let index = 0; index < 1_000; index++) names.delete(`${index}`);
    expect(tables.slice(9)).toEqual([1_024, 512, 256, 128, 64, 32, 16, 8]);
  } finally {
    globalThis.Int32Array = table;
  }
});
