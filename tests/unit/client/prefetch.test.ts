import { expect, test } from "bun:test";
import { prefetch } from "../../../lib/client/prefetch.ts";
import { settle } from "../../support/fake-clock.ts";

/** Batches without end, and how many items were taken of them. */
function endless(size: number) {
  const state = { pulled: 0, isLeft: false };
  const batches = async function* () {
    try {
      for (;;) {
        state.pulled += size;
        yield Array.from({ length: size }, () => ({ from: "a", to: "a" }));
      }
    } finally {
      state.isLeft = true;
    }
  };
  return { state, batches: batches() };
}

test("a plan is made ahead to a number of items, however short their paths are", async () => {
  const { state, batches } = endless(1_000);
  const ahead = prefetch(batches, () => {});
  await ahead.next();
  for (let turn = 0; turn < 200; turn++) await settle();
  const { pulled } = state;
  expect(pulled).toBeGreaterThan(50_000);
  expect(pulled).toBeLessThan(150_000);
  await ahead.next();
  for (let turn = 0; turn < 200; turn++) await settle();
  // What was taken makes room for as much.
  expect(state.pulled).toBeGreaterThan(pulled);
  expect(state.pulled).toBeLessThan(pulled + 150_000);
  await ahead.return();
  expect(state.isLeft).toBe(true);
});

test("the error of a plan comes after what it has planned before, and then its end is not reported", async () => {
  let ends = 0;
  const ahead = prefetch(
    (async function* () {
      yield [{ from: "a", to: "a" }];
      throw new Error("no more");
    })(),
    () => void ends++,
  );
  expect(await ahead.next()).toEqual({ done: false, value: [{ from: "a", to: "a" }] });
  await expect(ahead.next()).rejects.toThrow("no more");
  expect(ends).toBe(0);
});
