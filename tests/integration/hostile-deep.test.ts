import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { mkdirSync, readdirSync, renameSync } from "node:fs";
import { MAX_COMPONENTS } from "../../lib/path.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { codeOf } from "../support/fault.ts";
import { openBelow } from "../support/open-files.ts";
import { walk } from "../support/repository.ts";
import { store } from "../support/storing.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll } from "../support/transfers.ts";

/** Deep enough to tell a cost that grows with the depth from one that grows with its square. */
const DEPTH = 64;
/** Looks at the disk that a level may cost. */
const LOOKS = 8;

const deep = (levels: number, name = "d") => Array.from({ length: levels }, () => name).join("/");

let folder: TempFolder;
let storage: LocalStorage;
let looks: ReturnType<typeof spyOn>;

beforeEach(async () => {
  folder = new TempFolder();
  storage = await LocalStorage.at(folder.path);
  looks = spyOn(fs.realpathSync, "native");
});

afterEach(() => {
  looks.mockRestore();
  folder[Symbol.dispose]();
});

describe("a deep path costs so many looks at the disk as it has folders, not as many times as many", () => {
  test.each([
    ["stat", () => storage.stat(deep(DEPTH))],
    ["open", () => storage.open(deep(DEPTH))],
    ["load", () => storage.load(deep(DEPTH), 1)],
    ["place", () => storage.place(deep(DEPTH), { size: 1, modifiedAt: 0 }, "fail")],
    ["makeFolder", () => storage.makeFolder(deep(DEPTH))],
    ["store", () => store(storage, deep(DEPTH), Buffer.from("x"))],
    ["receive", async () => (await storage.receive(deep(DEPTH), BIG, "fail")).discard()],
    ["rename", () => storage.rename("a", deep(DEPTH), { overwrite: false })],
  ] as const)("%s", async (_, work) => {
    fs.writeFileSync(folder.join("a"), "x");
    looks.mockClear();
    await Promise.resolve()
      .then(work as () => unknown)
      .catch(() => {});
    expect(looks.mock.calls.length).toBeLessThanOrEqual(LOOKS * DEPTH);
  });
});

const BIG = { size: 2 * 1_048_576, modifiedAt: 0, executable: false, etag: "e" };

describe("a tree that is very deep", () => {
  test("is listed as far as paths reach, the rest counted, and removed whole", async () => {
    const name = "x".repeat(200);
    // In two halves, for the way to its bottom is longer than the system takes in one go.
    for (const half of ["top", "bottom"]) mkdirSync(folder.join(half, deep(15, name)), { recursive: true });
    renameSync(folder.join("bottom"), folder.join("top", deep(15, name), "bottom"));
    const { paths, skipped } = await walk(storage);
    expect(paths.length).toBeGreaterThan(15);
    expect(Math.max(...paths.map((path) => path.length))).toBeLessThanOrEqual(4_096);
    expect(skipped).toBe(1);
    await storage.remove("top", { recursive: true });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("is listed as far down as a path may lead, and holds no more than two descriptors open for each level", async () => {
    mkdirSync(folder.join(deep(2 * MAX_COMPONENTS)), { recursive: true });
    const options = { enter: () => true, skipped: { count: 0 } };
    let [told, most] = [0, 0];
    for await (const batch of storage.list("", options)) {
      told += batch.length;
      const isDeepest = batch.some(({ path }) => path === deep(MAX_COMPONENTS));
      if (isDeepest && process.platform === "linux") most = openBelow(folder.path);
    }
    expect([told, options.skipped.count]).toEqual([MAX_COMPONENTS, 1]);
    expect(most).toBeLessThanOrEqual(2 * MAX_COMPONENTS);
    await storage.remove("d", { recursive: true });
  });

  test("does not stop the server from answering others", async () => {
    mkdirSync(folder.join(deep(300)), { recursive: true });
    await using server = new TestServer({ storage });
    const [client, other] = [await server.client(), await server.client()];
    const listing = client.list();
    expect((await listing.next()).value).toMatchObject({ path: "d" });
    expect((await other.send("on")).text).toBe("on ACK");
    expect(await codeOf(() => other.stat(`${deep(MAX_COMPONENTS - 1)}/missing`))).toBe("NOT_FOUND");
    expect(await codeOf(() => other.stat(`${deep(MAX_COMPONENTS)}/missing`))).toBe("BAD_PATH");
    await listing.return({ entries: 0, skipped: 0 });
  });

  test("that a server names costs its client no more looks than it has folders", async () => {
    const remote = new MemoryStorage();
    remote.set(`${deep(DEPTH)}/file`, new Uint8Array(3));
    await using server = new TestServer({ storage: remote });
    const client = await server.client();
    looks.mockClear();
    // A server need not tell the folders above it.
    const told = await fetchAll(client, storage, { exists: "fail", paths: [`${deep(DEPTH)}/file`] });
    expect(told.failed).toEqual([]);
    expect(looks.mock.calls.length).toBeLessThanOrEqual(LOOKS * DEPTH);
  });
});
