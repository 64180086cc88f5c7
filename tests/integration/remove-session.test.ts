import { expect, test } from "bun:test";
import { linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { RemoveOptions } from "../../lib/storage/storage.ts";
import { storageFault } from "../../lib/storage-faults.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { facade } from "../support/facade.ts";
import { settle } from "../support/fake-clock.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const COUNT = 30_000;

test("a removal that ends with its session is no failure of the server", async () => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const storage = facade(new MemoryStorage(), {
    async remove(path: string, { signal }: RemoveOptions): Promise<void> {
      begun.resolve();
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      ended.resolve();
      throw storageFault.removalLeft(path);
    },
  });
  await using server = new TestServer({ storage });
  const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
  server.server.accept(ours, "write");
  const client = await server.client({ transport: theirs });
  const removal = client.remove("tree", true).catch(({ code }) => code);
  await begun.promise;
  theirs.abort();
  expect(await removal).toBe("LOST");
  await ended.promise;
  await settle();
  expect(server.events.filter(({ event }) => event === "failed")).toEqual([]);
});

test("a recursive removal ends with the session that asked for it", async () => {
  using folder = new TempFolder();
  const many = folder.join("tree/many");
  mkdirSync(many, { recursive: true });
  writeFileSync(`${many}/0`, "");
  // Hard links to one file: they are made ten times as fast as files.
  for (let index = 1; index < COUNT; index++) linkSync(`${many}/0`, `${many}/${index}`);
  await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
  const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
  const other = await server.client();
  server.server.accept(ours, "write");
  const client = await server.client({ transport: theirs });
  const removal = client.remove("tree", true).catch(({ code }) => code);
  await until(() => readdirSync(many).length < COUNT);
  theirs.abort();
  expect(await removal).toBe("LOST");
  // Two looks at what is left, with whole calls between them, are the same: nobody works on it any more.
  await until(async () => {
    const left = readdirSync(many).length;
    for (let call = 0; call < 20; call++) await other.status();
    return readdirSync(many).length === left;
  });
  expect(readdirSync(many).length).toBeGreaterThan(0);
  expect(server.events.filter(({ event }) => event === "failed" || event === "removed")).toEqual([]);
});
