import { describe, expect, test } from "bun:test";
import { answerFolder } from "../../../lib/gateway/folder-resource.ts";
import type { HttpCall } from "../../../lib/gateway/http-call.ts";
import type { GatewayParts } from "../../../lib/server/parts.ts";
import type { StorageEntry } from "../../../lib/storage/storage.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

const entry: StorageEntry = { path: "a", kind: "file", size: 1, modifiedAt: 0, executable: false, etag: "e" };

/** A folder whose walk takes its time to end, and a call that gets it. */
function site({ isHead = false, isClosed = false } = {}) {
  const ended = Promise.withResolvers<void>();
  const told: string[] = [];
  const batches = [[entry], [{ ...entry, path: "b" }]];
  const walk = {
    next: async () => {
      const value = batches.shift();
      return value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
    return: async () => {
      told.push("walk ends");
      await ended.promise;
      return { done: true, value: undefined };
    },
  };
  const call = {
    isHead,
    isClosed,
    request: { headers: {} },
    head: (status: number) => void told.push(`${status}`),
    response: { end: () => void told.push("end") },
    write: async (text: string) => {
      for (const [, name] of text.matchAll(/"name":"(\w+)"/g)) told.push(`${name}`);
    },
    guest: {
      member: {
        calls: { take: () => 0 },
        lookups: { run: (_: unknown, __: unknown, work: () => Promise<void>) => work() },
      },
    },
  } as unknown as HttpCall;
  const storage = { list: () => ({ [Symbol.asyncIterator]: () => walk }) };
  const parts = { storage, clock: new FakeClock() } as unknown as GatewayParts;
  let isOver = false;
  const answered = answerFolder(call, "", "ndjson", parts).then(() => {
    isOver = true;
  });
  return { told, ended, answered, isOver: () => isOver };
}

describe("the answer for a folder", () => {
  test.each([
    ["has all of it", {}, ["200", "a", "b", "end", "walk ends"]],
    ["to HEAD has none of it", { isHead: true }, ["200", "end", "walk ends"]],
    ["to who has left begins, and goes no further", { isClosed: true }, ["200", "end", "walk ends"]],
  ])("%s, and keeps its turn until the walk has ended", async (_, options, expected) => {
    const { told, ended, answered, isOver } = site(options);
    await settle();
    expect([told, isOver()]).toEqual([expected, false]);
    ended.resolve();
    await answered;
  });
});
