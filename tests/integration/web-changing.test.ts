/** COPY and MOVE by HTTP, and changes of both protocols that meet at one path. */
import { describe, expect, test } from "bun:test";
import { existsSync, linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { ExistsPolicy, FileFacts } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { FailingCommits } from "../support/failing-commits.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { WebSite } from "../support/web-site.ts";

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(2 * MIB + 5, "large");

const to = (path: string) => ({ headers: { destination: `/files/${path}` } });

test("a COPY that could not get its name leaves nothing of it", async () => {
  using folder = new TempFolder();
  const storage = new FailingCommits(await LocalStorage.at(folder.path));
  await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
  writeFileSync(folder.join("large"), LARGE);
  expect((await site.change("COPY", "/files/large", to("copy"))).status).toBe(503);
  expect(readdirSync(folder.path)).toEqual(["large"]);
  storage.isFailing = false;
  expect((await site.change("COPY", "/files/large", to("copy"))).status).toBe(201);
  expect(readFileSync(folder.join("copy")).equals(LARGE)).toBe(true);
});

test("a MOVE to another name of the same file leaves that name alone", async () => {
  await using site = await WebSite.start({ writable: true, mayWrite: true });
  writeFileSync(site.folder.join("here"), "content");
  linkSync(site.folder.join("here"), site.folder.join("there"));
  expect((await site.change("MOVE", "/files/here", to("there"))).status).toBe(204);
  expect(readdirSync(site.folder.path)).toEqual(["there"]);
});

/** A storage whose first file that comes as "a" waits before it gets there. */
class SlowFirst extends WrappedStorage {
  readonly begun = Promise.withResolvers<void>();
  readonly go = Promise.withResolvers<void>();
  #isFirst = true;

  override async store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): Promise<string> {
    const copy = new Uint8Array(bytes);
    if (path === "a" && this.#isFirst) {
      this.#isFirst = false;
      this.begun.resolve();
      await this.go.promise;
    }
    return this.inner.store(path, facts, exists, copy);
  }
}

describe("a PUT with If-Match, whose file is being stored,", () => {
  test.each([
    ["a client's rename", async (client: Client) => client.rename("b", "a", true), "of another"],
    ["a client's removal", async (client: Client) => client.remove("a", false), undefined],
  ])("is not overtaken by %s", async (_, change, after) => {
    using folder = new TempFolder();
    const storage = new SlowFirst(await LocalStorage.at(folder.path));
    await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
    writeFileSync(folder.join("a"), "old");
    writeFileSync(folder.join("b"), "of another");
    const { headers } = await site.ask("/files/a");
    const put = site.change("PUT", "/files/a", { headers: { "if-match": headers["etag"] ?? "" }, body: "new" });
    await storage.begun.promise;
    const client = await site.access.client(site.writer);
    const changed = change(client);
    await Bun.sleep(20); // it would have come by now
    storage.go.resolve();
    expect((await put).status).toBe(204);
    await changed;
    expect(existsSync(folder.join("a")) ? readFileSync(folder.join("a"), "utf8") : undefined).toBe(after);
  });

  test("is not overtaken by a MOVE to the same place", async () => {
    using folder = new TempFolder();
    const storage = new SlowFirst(await LocalStorage.at(folder.path));
    await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
    writeFileSync(folder.join("a"), "old");
    writeFileSync(folder.join("b"), "of another");
    const { headers } = await site.ask("/files/a");
    const put = site.change("PUT", "/files/a", { headers: { "if-match": headers["etag"] ?? "" }, body: "new" });
    await storage.begun.promise;
    const moved = site.change("MOVE", "/files/b", to("a"));
    await Bun.sleep(20);
    storage.go.resolve();
    expect([(await put).status, (await moved).status]).toEqual([204, 204]);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("of another");
  });
});
