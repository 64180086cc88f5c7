/** What a client is refused for want of room or rights, its operator hears as well: who, what and why. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { formatEvent } from "../../lib/cli/server/event-line.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { writeFault } from "../../lib/storage/local/write-probe.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { BLOCK, BoundedSite } from "../support/bounded-site.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../support/unprivileged.ts";

const failedOf = (server: TestServer) =>
  server.events.flatMap((event) => (event.event === "failed" ? [formatEvent(event)] : []));

test.each([
  ["a full quota", { quotaBytes: BLOCK }, "QUOTA_EXCEEDED"],
  ["a disk that keeps too little free", { keepFreeBytes: Number.MAX_SAFE_INTEGER / 2 }, "NO_SPACE"],
])("%s", async (_, limits, code) => {
  using site = await BoundedSite.open(limits);
  await using server = new TestServer({ storage: site.storage });
  const tree = new MemoryStorage();
  tree.set("big", new Uint8Array(2 * BLOCK), 1_000);
  const { codes } = await sendAll(await server.client(), tree);
  expect(codes).toEqual([code]);
  expect(failedOf(server)).toEqual([
    expect.stringMatching(new RegExp(`^put failed for Client01: .*"big".* \\[${code}\\]$`)),
  ]);
});

test.skipIf(noPermissionTests !== undefined)(
  permissionTest("no permission to write, or to read, and the server knows at its start"),
  async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("repo"));
    mkdirSync(folder.join("here"));
    writeTree(folder.path, { "repo/secret": "x", "here/new": "y" });
    chmodSync(folder.join("repo/secret"), 0);
    const storage = await LocalStorage.at(folder.join("repo"));
    await using server = new TestServer({ storage });
    const client = await server.client();
    const local = await LocalStorage.ofUser(folder.join("here"));
    const told = await unprivileged(folder.path, async () => [
      ...(await sendAll(client, local)).codes,
      ...(await fetchAll(client, new MemoryStorage())).codes,
      writeFault(folder.join("repo")),
    ]);
    expect(told).toEqual(["UNWRITABLE", "UNREADABLE", `No permission to write "${folder.join("repo")}".`]);
    expect(failedOf(server)).toEqual([
      'put failed for Client01: The server has no permission to write "new". [UNWRITABLE]',
      'get failed for Client01: The server has no permission to read "secret". [UNREADABLE]',
    ]);
    expect(writeFault(folder.join("repo"))).toBeUndefined();
  },
);

test("what a client asks for that there is not concerns no operator", async () => {
  await using server = new TestServer();
  const client = await server.client();
  await client.stat("none").catch(() => {});
  await client.remove("none", false).catch(() => {});
  expect(failedOf(server)).toEqual([]);
});
