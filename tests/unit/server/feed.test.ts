import { expect, test } from "bun:test";
import { sendFeed } from "../../../lib/server/feed.ts";
import { MemoryBudget } from "../../../lib/server/memory-budget.ts";
import { memoryLimits } from "../../../lib/server/memory-limits.ts";
import type { Stream } from "../../../lib/session/stream.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

/** A stream whose reader takes one write at a time, when it is told to, and a feed that is told what happens. */
function feed() {
  const told: string[] = [];
  const closing = Promise.withResolvers<void>();
  const taking: (() => void)[] = [];
  const state = { accepted: false, ended: false, isClosed: false, subscribed: false };
  const stream = {
    closed: closing.promise,
    get isClosed() {
      return state.isClosed;
    },
    accept: () => {
      state.accepted = true;
    },
    write: (bytes: Uint8Array) => {
      told.push(...new TextDecoder().decode(bytes).trimEnd().split("\n"));
      return new Promise<void>((resolve) => taking.push(resolve));
    },
    end: async () => {
      state.ended = true;
    },
  } as unknown as Stream;
  const budget = new MemoryBudget(memoryLimits(64 * 1024 * 1024), new FakeClock());
  const ended = new AbortController();
  let tell: (record: object, weight?: number) => void = () => {};
  const sent = sendFeed<object>(stream, {
    memory: budget.share(),
    ended: ended.signal,
    subscribe: (listener) => {
      tell = listener;
      state.subscribed = true;
      return () => {
        state.subscribed = false;
      };
    },
    dropped: (count) => ({ dropped: count }),
  });
  const close = () => {
    state.isClosed = true;
    closing.resolve();
  };
  const take = async () => {
    taking.shift()?.();
    await settle();
  };
  return { told, state, sent, ended, budget, close, take, tell: (record: object) => tell(record) };
}

test("what arose before the end reaches a reader that is behind, and then the stream ends", async () => {
  const { told, state, sent, ended, tell, take, budget } = feed();
  await settle();
  expect(state).toMatchObject({ accepted: true, subscribed: true });
  tell({ at: 1 });
  await settle();
  tell({ at: 2 });
  tell({ at: 3 });
  ended.abort();
  await settle();
  expect(told).toEqual(['{"at":1}']);
  expect(state.ended).toBe(false);
  await take();
  expect(told).toEqual(['{"at":1}', '{"at":2}', '{"at":3}']);
  expect(state.ended).toBe(false);
  await take();
  expect(state).toMatchObject({ ended: true, subscribed: false });
  await sent;
  expect(budget.used).toBe(0);
});

test("a feed that ends while nothing waits ends its stream at once", async () => {
  const { told, state, sent, ended } = feed();
  await settle();
  ended.abort();
  await sent;
  expect(state).toMatchObject({ ended: true, subscribed: false });
  expect(told).toEqual([]);
});

test("a reader that leaves ends the subscription, and gives back the memory of what waits", async () => {
  const { state, sent, tell, take, close, budget } = feed();
  await settle();
  tell({ at: 1 });
  await settle();
  tell({ at: 2 });
  expect(budget.used).toBeGreaterThan(0);
  close();
  await take();
  await sent;
  expect(state).toMatchObject({ ended: false, subscribed: false });
  expect(budget.used).toBe(0);
});
