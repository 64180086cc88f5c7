import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { printChanges } from "../../lib/cli/client/watch-command.ts";
import type { Client } from "../../lib/client/client.ts";
import { planFetch } from "../../lib/client/fetch-plan.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import type { FileFacts } from "../../lib/protocol/methods.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { facade } from "../support/facade.ts";
import { codeOf } from "../support/fault.ts";
import { NO_PATHS, snapshot } from "../support/hostile-names.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

let folder: TempFolder;
let server: TestServer;
let client: Client;
let local: LocalStorage;

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "home/here/mine": "mine", "home/.bashrc": "precious", secret: "precious" });
  server = new TestServer();
  client = await server.client();
  local = await LocalStorage.ofUser(folder.join("home/here"));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Those that a server of ours can be made to say: it sends nothing that is no text. */
const short = Object.entries(NO_PATHS).filter(([, path]) => path.length <= 4_096 && path.isWellFormed());

describe("a server that answers a put with a path of its own", () => {
  test.each(short)("changes nothing here: %s", async (_, path) => {
    const before = snapshot(folder.path);
    server.storage.store = async () => path;
    const told = await sendAll(client, local, { exists: "rename" });
    expect(told.done.map(({ outcome }) => outcome)).toEqual(["stored"]);
    expect(snapshot(folder.path)).toEqual(before);
  });
});

describe("a server that is asked for one path and tells of another", () => {
  test.each(["/etc/shadow", "../../secret", "b", "docs/../a", "\u001b[2J"])(
    "is not believed, so that nobody reads that it was fetched: %p",
    async (path) => {
      for (const kind of ["file", "folder"] as const) {
        const stat = async () => ({ path, kind, size: 3, modifiedAt: 0, executable: false, etag: "" });
        const planned: TransferItem[] = [];
        const plan = planFetch(facade(client, { stat }), {
          sources: ["a"],
          naming: { into: "" },
          signal: new AbortController().signal,
          onPlanned: (item) => planned.push(item),
          onFailed: () => {},
          onLeftOut: () => {},
        });
        const ended = (async () => {
          for await (const _ of plan);
        })();
        await ended.catch(() => {});
        expect(planned.map(({ from }) => from).filter((from) => from !== "a")).toEqual([]);
      }
    },
  );
});

describe("a server whose FILE says what no file is", () => {
  const FACTS: [string, Partial<FileFacts>][] = [
    ["a time that no disk holds", { modifiedAt: Number.MAX_SAFE_INTEGER }],
    ["a state that looks like a path", { etag: "../../../.bashrc" }],
    ["a state of controls", { etag: "\0\u001b[2J\n".repeat(20) }],
    ["that it may be run", { executable: true }],
  ];

  test.each(FACTS)("is answered by a file or by words, and the next file comes: %s", async (_, facts) => {
    const outside = () => Object.entries(snapshot(folder.path)).filter(([path]) => !path.startsWith("home/here/"));
    const before = outside();
    const load = server.storage.load.bind(server.storage);
    server.storage.load = async (path, limit) => {
      const loaded = await load(path, limit);
      if (loaded === undefined || path !== "odd") return loaded;
      return { ...loaded, entry: { ...loaded.entry, ...facts } };
    };
    for (const path of ["odd", "plain"]) server.storage.set(path, new Uint8Array(3));
    const told = await fetchAll(client, local, { exists: "fail" });
    expect(told.paths).toContain("plain");
    expect([...told.paths, ...told.failed.map(({ path }) => path)].sort()).toEqual(["odd", "plain"]);
    expect(outside()).toEqual(before);
  });

  test.each([
    ["a time before 1970", { modifiedAt: -1 }],
    ["a time between two milliseconds", { modifiedAt: 0.123456789 }],
    ["a time after all time", { modifiedAt: Number.MAX_VALUE }],
    ["a size that is no number", { size: 2 ** 53 }],
  ])("breaks the protocol, and nothing of it is stored: %s", async (_, facts) => {
    const load = server.storage.load.bind(server.storage);
    server.storage.load = async (path, limit) => {
      const loaded = await load(path, limit);
      return loaded && { ...loaded, entry: { ...loaded.entry, ...facts } };
    };
    server.storage.set("odd", new Uint8Array(3));
    expect(await codeOf(() => fetchAll(client, local, { exists: "fail" }))).toBe("BAD_PAYLOAD");
    expect(Object.keys(snapshot(folder.join("home/here"))).filter((name) => name.includes("odd"))).toEqual([]);
  });

  test.each([
    ["more bytes than any disk has", Number.MAX_SAFE_INTEGER],
    ["16 TiB and a byte", 2 ** 44 + 1],
    ["a petabyte", 10 ** 15],
  ])("of %s fails that file with words, leaves nothing, and the next file comes", async (_, size) => {
    const open = server.storage.open.bind(server.storage);
    server.storage.open = async (path) => {
      const file = await open(path);
      return path === "odd" ? { ...file, entry: { ...file.entry, size } } : file;
    };
    server.storage.set("odd", new Uint8Array(2 * 1_048_576));
    server.storage.set("plain", new Uint8Array(3));
    const told = await fetchAll(client, local, { exists: "fail" });
    expect(told.failed).toMatchObject([{ path: "odd", code: "TOO_LARGE" }]);
    expect(told.paths).toEqual(["plain"]);
    expect(Object.keys(snapshot(folder.join("home/here"))).filter((name) => name.startsWith("odd."))).toEqual([]);
  });
});

describe("a server that tells of changes to what is no path", () => {
  test("has them shown on one safe line each, and nothing done", async () => {
    const before = snapshot(folder.path);
    const io = new TestIo();
    const abort = new AbortController();
    const watching = printChanges(client, { source: undefined, json: false, signal: abort.signal, io }).catch(() => {});
    await client.send("in order");
    for (const [, path] of short) server.storage.set(path, new Uint8Array(0));
    server.storage.set("the last", new Uint8Array(0));
    await until(() => io.written.some((line) => line.includes("the last")));
    abort.abort();
    await watching;
    expect(io.written).toHaveLength(short.length + 1);
    for (const line of io.written) expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(snapshot(folder.path)).toEqual(before);
  });

  test("a list that names the same target again and again fetches it once", async () => {
    server.storage.set("a", new Uint8Array(3));
    const items = async function* () {
      const item: TransferItem = { from: "a", to: "a", kind: "file", size: 3, modifiedAt: 0 };
      yield Array.from({ length: 1_000 }, () => item);
    };
    const told = await fetchAll(client, local, { items, exists: "rename" });
    expect(told.paths).toEqual(["a"]);
  });
});
