import { expect, test } from "bun:test";
import { keepMirrored, type SourceWatcher } from "../../../lib/client/sync/keep-mirrored.ts";
import { CommError } from "../../../lib/errors.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A mirror that is kept, whose source changes when a test says so. */
function keeping({ isWhole = () => true }: { isWhole?: (time: number) => boolean } = {}) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const begun: PromiseWithResolvers<SourceWatcher> = Promise.withResolvers();
  let mirrored = 0;
  let isStopped = false;
  const end = keepMirrored({
    clock,
    signal: abort.signal,
    async watch(watcher) {
      begun.resolve(watcher);
      return () => {
        isStopped = true;
      };
    },
    mirror: async () => isWhole(++mirrored),
  }).catch((error: CommError) => error.code);
  return { clock, abort, watcher: begun.promise, end, counts: () => ({ mirrored, isStopped }) };
}

test("a mirror runs at once, and again when its source has changed and is quiet", async () => {
  const { clock, abort, watcher, end, counts } = keeping();
  const { onChange } = await watcher;
  await clock.advance(10_000);
  expect(counts().mirrored).toBe(1);
  for (let change = 0; change < 5; change++) {
    onChange();
    await clock.advance(200);
  }
  expect(counts().mirrored).toBe(1);
  await clock.advance(400);
  expect(counts().mirrored).toBe(2);
  await clock.advance(60_000);
  expect(counts()).toEqual({ mirrored: 2, isStopped: false });
  abort.abort();
  expect(await end).toBe("INTERRUPTED");
  expect(counts().isStopped).toBe(true);
});

test("a source that is never quiet is mirrored all the same", async () => {
  const { clock, abort, watcher, end, counts } = keeping();
  const { onChange } = await watcher;
  await clock.advance(0);
  for (let change = 0; change < 60; change++) {
    onChange();
    await clock.advance(100);
  }
  expect(counts().mirrored).toBe(2);
  abort.abort();
  await end;
});

test("what could not be mirrored is tried again after a while", async () => {
  const { clock, abort, watcher, end, counts } = keeping({ isWhole: (time) => time > 1 });
  await watcher;
  await clock.advance(0);
  await clock.advance(20_000);
  expect(counts().mirrored).toBe(1);
  await clock.advance(20_000);
  expect(counts().mirrored).toBe(2);
  await clock.advance(100_000);
  expect(counts().mirrored).toBe(2);
  abort.abort();
  await end;
});

test("a watch that fails ends it", async () => {
  const { watcher, end, counts } = keeping();
  const { onFailed } = await watcher;
  onFailed(new CommError("LOST", "gone"));
  expect(await end).toBe("LOST");
  expect(counts().isStopped).toBe(true);
});
