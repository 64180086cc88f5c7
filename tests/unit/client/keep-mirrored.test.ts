import { expect, test } from "bun:test";
import { keepMirrored, type MirrorOutcome, type SourceWatcher } from "../../../lib/client/sync/keep-mirrored.ts";
import { CommError } from "../../../lib/errors.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A mirror that is kept, whose source changes when a test says so. */
function keeping({ outcome = () => "whole" }: { outcome?: (time: number) => MirrorOutcome } = {}) {
  const clock = new FakeClock();
  const abort = new AbortController();
  const begun: PromiseWithResolvers<SourceWatcher> = Promise.withResolvers();
  let mirrored = 0;
  let isStopped = false;
  let watches = 0;
  const end = keepMirrored({
    clock,
    signal: abort.signal,
    async watch(watcher) {
      begun.resolve(watcher);
      watches++;
      return () => {
        isStopped = true;
      };
    },
    mirror: async () => outcome(++mirrored),
  }).catch((error: CommError) => error.code);
  return { clock, abort, watcher: begun.promise, end, counts: () => ({ mirrored, isStopped }), watches: () => watches };
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
  const { clock, abort, watcher, end, counts } = keeping({ outcome: (time) => (time > 1 ? "whole" : "partly") });
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

test("a source that is not there is looked for every two seconds, and watched again when it is back", async () => {
  const outcome = (time: number) => (time > 1 && time < 5 ? "absent" : "whole");
  const { clock, abort, watcher, end, counts, watches } = keeping({ outcome });
  const { onChange } = await watcher;
  await clock.advance(0);
  onChange();
  for (let second = 0; second < 60; second++) await clock.advance(1_000);
  // One more when it is watched again: something may have changed before that.
  expect(counts().mirrored).toBe(6);
  expect(watches()).toBe(2);
  abort.abort();
  await end;
});
