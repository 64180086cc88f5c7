/** Methods that answer with one object can be called without a router, a stream or a server: by another door than ours. */
import { expect, test } from "bun:test";
import { EventFeed, type StampedEvent } from "../../../lib/server/event-feed.ts";
import type { Caller } from "../../../lib/server/method.ts";
import { remove } from "../../../lib/server/methods/remove.ts";
import { rename } from "../../../lib/server/methods/rename.ts";
import { stat } from "../../../lib/server/methods/stat.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { faultOf } from "../../support/fault.ts";

const caller: Caller = {
  name: "web",
  role: "write",
  address: "192.0.2.1:1",
  startedAt: 0,
  names: {},
  paths: "any",
  account: { role: "write", token: undefined },
  token: undefined,
};

function site() {
  const storage = new MemoryStorage();
  storage.set("a", new TextEncoder().encode("abc"));
  const events = new EventFeed(() => 0);
  const seen: StampedEvent[] = [];
  events.subscribe((event) => void seen.push(event));
  const question = { caller, server: { storage, events }, signal: new AbortController().signal };
  return { question, seen };
}

test("stat needs the repository alone", async () => {
  const { question } = site();
  expect(await stat.answer({ ...question, params: { path: "a" } })).toMatchObject({ path: "a", kind: "file", size: 3 });
  expect(await faultOf(() => stat.answer({ ...question, params: { path: "../a" } }))).toMatchObject({
    code: "BAD_PATH",
  });
});

test("rename and remove report what they did, by the caller's name", async () => {
  const { question, seen } = site();
  expect(await rename.answer({ ...question, params: { from: "a", to: "b", overwrite: false } })).toEqual({});
  expect(await remove.answer({ ...question, params: { path: "b", recursive: false } })).toEqual({});
  expect(seen).toMatchObject([
    { event: "renamed", name: "web", from: "a", to: "b" },
    { event: "removed", name: "web", path: "b" },
  ]);
});
