import { describe, expect, test } from "bun:test";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { BLOCK, BoundedSite } from "../support/bounded-site.ts";
import { TestServer } from "../support/test-server.ts";
import { sendAll, sha256Of } from "../support/transfers.ts";

/** A tree of files of these sizes. */
function treeOf(sizes: Record<string, number>): MemoryStorage {
  const tree = new MemoryStorage();
  for (const [path, size] of Object.entries(sizes)) tree.set(path, new Uint8Array(size).fill(path.length), 1_000);
  return tree;
}

async function put(server: TestServer, tree: MemoryStorage) {
  const client = await server.client();
  const told = await sendAll(client, tree);
  await client.close();
  return { stored: told.paths, failed: told.failed.map(({ path, code }) => `${code} ${path}`).sort() };
}

describe("put into a repository with a quota", () => {
  test("what is too much fails by name, and the rest of the same put goes on", async () => {
    using site = await BoundedSite.open({ quotaBytes: 5 * BLOCK });
    await using server = new TestServer({ storage: site.storage });
    const { stored, failed } = await put(server, treeOf({ a: 100, b: 6 * BLOCK, c: 3 * BLOCK, d: 200 }));
    expect(failed).toEqual(["QUOTA_EXCEEDED b"]);
    expect(stored).toEqual(["a", "c", "d"]);
    expect(site.held).toBe(3 * BLOCK + 300);
  });

  test("two at once do not exceed it together", async () => {
    using site = await BoundedSite.open({ quotaBytes: 8 * BLOCK });
    await using server = new TestServer({ storage: site.storage });
    const sizes = (name: string) => Object.fromEntries([1, 2, 3].map((at) => [`${name}${at}`, 2 * BLOCK]));
    const told = await Promise.all(["a", "b"].map((name) => put(server, treeOf(sizes(name)))));
    expect(site.held).toBeLessThanOrEqual(8 * BLOCK);
    // Four fit; one may be refused while two that are under way have been promised what is left.
    const stored = told.flatMap((one) => one.stored).length;
    expect([3, 4]).toContain(stored);
    expect(told.flatMap(({ failed }) => failed)).toHaveLength(6 - stored);
  });

  test("an honest client beside it fetches, lists and writes messages", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await using server = new TestServer({ storage: site.storage });
    await put(server, treeOf({ a: 1_000 }));
    expect((await put(server, treeOf({ b: 1 }))).failed).toEqual(["QUOTA_EXCEEDED b"]);
    const honest = await server.client();
    expect((await honest.digest("a")).sha256).toBe(sha256Of(new Uint8Array(1_000).fill(1)));
    expect((await honest.send("hi")).text).toBe("hi ACK");
    await honest.remove("a", false);
    expect((await put(server, treeOf({ b: 1 }))).stored).toEqual(["b"]);
  });

  test("what is there already needs no room", async () => {
    using site = await BoundedSite.open({ quotaBytes: 1_000 });
    await using server = new TestServer({ storage: site.storage });
    await put(server, treeOf({ a: 1_000 }));
    expect(await put(server, treeOf({ a: 1_000 }))).toEqual({ stored: ["a"], failed: [] });
  });
});

test("put onto a disk with a reserve: what would use the reserve fails with NO_SPACE, and the rest continues", async () => {
  using site = await BoundedSite.open({ keepFreeBytes: 2 * BLOCK }, 6 * BLOCK);
  await using server = new TestServer({ storage: site.storage });
  const { stored, failed } = await put(server, treeOf({ a: 100, b: 5 * BLOCK, c: 3 * BLOCK }));
  expect(failed).toEqual(["NO_SPACE b"]);
  expect(stored).toEqual(["a", "c"]);
});
