import { expect, test } from "bun:test";
import type { Member } from "../../../lib/server/member.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import { watch } from "../../../lib/server/methods/watch.ts";
import type { Stream } from "../../../lib/session/stream.ts";
import type { Storage } from "../../../lib/storage/storage.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

test("a watch leaves the repository when it ends, and then no longer counts for its session", async () => {
  const clock = new FakeClock();
  const stopping = new AbortController();
  let listeners = 0;
  const storage = {
    async watch() {
      listeners++;
      return () => listeners--;
    },
  } as unknown as Storage;
  const stream = { closed: new Promise(() => {}), isClosed: false, accept() {}, async end() {} } as unknown as Stream;
  const member = { paths: "any", watches: 0, memory: new MemoryBudget(memoryLimits(1), clock).share() };
  const server = { storage, lifecycle: { stopping: stopping.signal }, clock };
  const watching = watch.handle({ params: {}, stream, member: member as unknown as Member, server } as never);
  await settle();
  expect([listeners, member.watches]).toEqual([1, 1]);
  stopping.abort();
  await watching;
  expect([listeners, member.watches]).toEqual([0, 0]);
});
