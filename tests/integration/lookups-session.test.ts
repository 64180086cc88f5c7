import { describe, expect, test } from "bun:test";
import type { Client } from "../../lib/client/client.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ListOptions, OpenFile, StorageEntry } from "../../lib/storage/storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { facade } from "../support/facade.ts";
import { settle } from "../support/fake-clock.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

/** As SECURITY.md has it. */
const AT_ONCE = 8;
const MANY = 40;

/** A storage whose lists and files never come to an end, and which counts those that are at work. */
function endless() {
  const work = { lists: 0, files: 0, begun: 0 };
  const memory = new MemoryStorage();
  for (let index = 0; index < MANY; index++) memory.set(`file ${index}`, new Uint8Array(1));
  const storage = facade(memory, {
    async *list(_path: string, _options: ListOptions): AsyncGenerator<StorageEntry[], void> {
      work.lists++;
      work.begun++;
      try {
        for (;;) {
          yield [await memory.stat("file 0")];
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        work.lists--;
      }
    },
    // None is small: each is opened, and read piece by piece.
    load: async () => undefined,
    async open(path: string): Promise<OpenFile> {
      const file = await memory.open(path);
      work.files++;
      work.begun++;
      return {
        ...file,
        entry: { ...file.entry, size: Number.MAX_SAFE_INTEGER },
        async read(buffer) {
          await new Promise((resolve) => setImmediate(resolve));
          return buffer.length;
        },
        async close() {
          work.files--;
        },
      };
    },
  });
  return { storage, work };
}

describe.each([
  [
    "lists",
    (client: Client) =>
      void client
        .list("nothing*")
        .next()
        .catch(() => {}),
  ],
  ["digests", (client: Client, index: number) => void client.digest(`file ${index}`).catch(() => {})],
] as const)("%s of a session", (kind, begin) => {
  test(`are at work ${AT_ONCE} at once; further ones wait, and all die with the session`, async () => {
    const { storage, work } = endless();
    await using server = new TestServer({ storage });
    const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
    server.server.accept(ours, "write");
    const client = await server.client({ transport: theirs });
    const other = await server.client();
    for (let index = 0; index < MANY; index++) begin(client, index);
    await until(() => work.lists + work.files === AT_ONCE);
    for (let call = 0; call < 10; call++) await other.send("on");
    expect(work).toMatchObject({ begun: AT_ONCE, lists: kind === "lists" ? AT_ONCE : 0 });
    theirs.abort();
    await until(() => work.lists + work.files === 0);
    await settle();
    expect(work.begun).toBe(AT_ONCE);
    expect(server.events.filter(({ event }) => event === "failed")).toEqual([]);
  });
});
