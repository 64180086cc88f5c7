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

/**
 * Replace "a" by a PUT with If-Match, and begin `change` between the check of the state and the storing.
 *
 * @returns the status of the PUT, the result of `change`, and what "a" holds then; undefined: it is gone
 */
async function changedDuringPut<T>(change: (site: WebSite) => Promise<T>) {
  using folder = new TempFolder();
  const storage = new SlowFirst(await LocalStorage.at(folder.path));
  await using site = await WebSite.start({ writable: true, mayWrite: true, storage });
  writeFileSync(folder.join("a"), "old");
  writeFileSync(folder.join("b"), "of another");
  const { headers } = await site.ask("/files/a");
  const put = site.change("PUT", "/files/a", { headers: { "if-match": headers["etag"] ?? "" }, body: "new" });
  await storage.begun.promise;
  const changed = change(site);
  // After so many answers to others it would have come.
  for (let asked = 0; asked < 20; asked++) await site.ask("/files/b");
  storage.go.resolve();
  const [{ status }, result] = await Promise.all([put, changed]);
  const content = existsSync(folder.join("a")) ? readFileSync(folder.join("a"), "utf8") : undefined;
  return { status, result, content };
}

describe("a PUT with If-Match, whose file is being stored,", () => {
  test.each([
    ["a client's rename", async (client: Client) => client.rename("b", "a", true), "of another"],
    ["a client's removal", async (client: Client) => client.remove("a", false), undefined],
  ])("is not overtaken by %s", async (_, change, after) => {
    const { status, content } = await changedDuringPut(async ({ access, writer }) =>
      change(await access.client(writer)),
    );
    expect(status).toBe(204);
    expect(content).toBe(after);
  });

  test("is not overtaken by a MOVE to the same place", async () => {
    const { status, result, content } = await changedDuringPut((site) => site.change("MOVE", "/files/b", to("a")));
    expect([status, result.status]).toEqual([204, 204]);
    expect(content).toBe("of another");
  });
});
