/** What a client gets to hear of the state folder when it lies in the repository: by every method, over the wire. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../lib/block.ts";
import type { Client } from "../../lib/client/client.ts";
import { Operator } from "../../lib/client/operator.ts";
import type { Entry } from "../../lib/protocol/methods.ts";
import { BoundedStorage } from "../../lib/storage/bounded.ts";
import { CountedBudget } from "../../lib/storage/counted-budget.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { codeOf } from "../support/fault.ts";
import { contentOf, makeState, PrivateSite, STATE_PATH } from "../support/private-site.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

let site: PrivateSite;
let server: TestServer;
let client: Client;
let before: Record<string, string>;

/** With and without a quota: that counts what a list tells. */
beforeEach(async () => {
  site = new PrivateSite();
  makeState(site.join("srv/other"));
  linkSync(`${site.state}/identity.pem`, site.join("docs/hard.pem"));
  symlinkSync(`../${STATE_PATH}/identity.pem`, site.join("docs/link.pem"));
  const limits = { quotaBytes: 10_000_000, keepFreeBytes: 0 };
  const inner = await site.open();
  const storage = new BoundedStorage(inner, new CountedBudget(inner, limits, () => 0));
  server = new TestServer({ storage });
  client = await server.tcpClient();
  before = { ...contentOf(site.state), ...contentOf(site.join("srv/other")) };
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  const left = { ...contentOf(site.state), ...contentOf(site.join("srv/other")) };
  site[Symbol.dispose]();
  expect(left).toEqual(before);
});

async function listed(glob?: string): Promise<{ paths: string[]; skipped: number }> {
  const paths: string[] = [];
  const walk = client.list(glob);
  for (;;) {
    const step = await walk.next();
    if (step.done) return { paths, skipped: step.value.skipped };
    paths.push((step.value as Entry).path);
  }
}

const KNOWN = [
  STATE_PATH,
  `${STATE_PATH}/identity.pem`,
  `${STATE_PATH}/kept/by/the/user.txt`,
  `${STATE_PATH}/missing`,
  "srv/other",
  "srv/other/tokens.json",
  "srv/other/missing/deeper",
  "docs/hard.pem",
  "docs/link.pem",
];

describe("over the wire, the state folders in a repository", () => {
  test.each(KNOWN)("are not allowed to anybody: %s", async (path) => {
    for (const [what, work] of Object.entries({
      stat: () => client.stat(path),
      list: () => listed(path),
      "list below": () => listed(`${path}/**`),
      digest: () => client.digest(path),
      remove: () => client.remove(path, true),
      "rename from": () => client.rename(path, "mine", true),
    })) {
      // A pattern over a file, or over a link, is no more than over what is not there.
      const isPattern = what === "list below" && path.startsWith("docs/");
      if (what === "remove" && path.includes("link")) continue; // it is the repository's, whatever it leads to
      const code = await codeOf(work);
      expect({ what, code }).toEqual({ what, code: isPattern ? expect.any(String) : "NOT_ALLOWED" });
    }
    // Without having asked first what is there.
    const told = await fetchAll(client, new MemoryStorage(), {
      async *items() {
        yield [{ from: path, to: "stolen", kind: "file", size: 3, modifiedAt: 0 }];
      },
    });
    expect(told.codes).toEqual(["NOT_ALLOWED"]);
  });

  test.each(KNOWN.filter((path) => !path.startsWith("docs/")))("take nothing: %s", async (path) => {
    for (const name of [path, `${path}/x`]) {
      for (const size of [3, BLOCK_BYTES + 1]) {
        const source = new MemoryStorage();
        source.set(name, Buffer.alloc(size));
        const told = await sendAll(client, source);
        // What leads there is there already.
        expect(told.done.filter((done) => !path.startsWith(`${done.path}/`))).toEqual([]);
        expect(new Set(told.codes)).toEqual(new Set(["NOT_ALLOWED"]));
      }
    }
    await client.rename("docs/a.txt", "docs/mine.txt", false);
    expect(await codeOf(() => client.rename("docs/mine.txt", path, true))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => client.rename("docs/mine.txt", `${path}/x`, true))).toBe("NOT_ALLOWED");
    expect(await codeOf(() => client.rename("docs", `${path}/x`, true))).toBe("NOT_ALLOWED");
  });

  test("are in no list, by no pattern, and are not counted as left out", async () => {
    const all = [".local", ".local/share", ".local/share/b.txt", ".local/state"];
    const rest = ["docs", "docs/a.txt", "docs/link.pem", "srv"];
    expect(await listed()).toEqual({ paths: [...all, ...rest], skipped: 0 });
    for (const glob of ["**", "**/*", "{.local,srv}/**", ".*/**", "*/*/*/*", ".local/state/c*/*", "srv/*"]) {
      const { paths } = await listed(glob);
      expect({ glob, private: paths.filter((path) => /commserver|other/.test(path)) }).toEqual({ glob, private: [] });
    }
    expect((await listed("**/*.pem")).paths).toEqual(["docs/link.pem"]);
  });

  test("are fetched with nothing: all the rest is", async () => {
    const folder = new MemoryStorage();
    const told = await fetchAll(client, folder);
    expect(told.failed.map(({ path }) => path)).toEqual([]);
    expect(told.paths).toEqual([
      ".local",
      ".local/share",
      ".local/share/b.txt",
      ".local/state",
      "docs",
      "docs/a.txt",
      "srv",
    ]);
  });

  test("hold what leads to them where it is", async () => {
    for (const path of [".local", ".local/state"]) {
      expect(await codeOf(() => client.remove(path, true))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => client.rename(path, "mine", true))).toBe("NOT_ALLOWED");
    }
    expect(await codeOf(() => client.remove("srv", true))).toBe("NOT_ALLOWED");
    await client.remove(".local/share", true);
  });

  test("are watched by nobody, whatever happens in them", async () => {
    const changed = new Set<string>();
    const abort = new AbortController();
    const watching = (async () => {
      for await (const change of client.watch(undefined, abort.signal)) changed.add(JSON.stringify(change));
    })().catch(() => {});
    const has = (name: string) => [...changed].some((change) => change.includes(name));
    await until(() => {
      writeFileSync(site.join("docs/first.txt"), "x");
      return has("docs/first.txt");
    });
    for (const state of [site.state, site.join("srv/other")]) {
      writeFileSync(`${state}/new.json`, "x");
      writeFileSync(`${state}/tokens.json`, "changed");
      renameSync(`${state}/history`, `${state}/past`);
      rmSync(`${state}/ledger.sqlite`);
      mkdirSync(`${state}/folder`);
    }
    before = { ...contentOf(site.state), ...contentOf(site.join("srv/other")) };
    writeFileSync(site.join("docs/last.txt"), "x");
    await until(() => has("docs/last.txt"));
    abort.abort();
    await watching;
    expect([...changed].filter((change) => !/docs\/(first|last)\.txt/.test(change))).toEqual([]);
  });

  test("have no unfinished files for operators", async () => {
    writeFileSync(`${site.state}/x.commserver-part`, "x");
    writeFileSync(site.join("docs/y.commserver-part"), "y");
    before = { ...contentOf(site.state), ...contentOf(site.join("srv/other")) };
    const operator = new Operator(await server.client({}, "operator"));
    const found = await Array.fromAsync(operator.unfinished());
    expect(found.map(({ path }) => path)).toEqual(["docs/y.commserver-part"]);
  });
});
