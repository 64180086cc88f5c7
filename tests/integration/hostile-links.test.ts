import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, openSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import type { Change } from "../../lib/protocol/methods.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { faultOf } from "../support/fault.ts";
import { snapshot } from "../support/hostile-names.ts";
import { readWhole, writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll } from "../support/transfers.ts";
import { until } from "../support/until.ts";

/** Where each link of the repository leads. */
const OUT: Record<string, string> = {
  "by-dots": "../outside/secret",
  absolute: "/etc/passwd",
  "folder/by-more-dots": "../../outside/secret",
  "to-a-folder": "../outside",
  "to-the-parent": "..",
  "to-the-root": "/",
  "to-a-sibling": "../repository-2",
  "by-a-chain": "chain-1",
  "chain-1": "folder/chain-2",
  "folder/chain-2": "../../outside/secret",
  "in-and-out": "folder/../../outside/secret",
  "to-itself-by-proc": "/proc/self/exe",
  "to-the-environment": "/proc/self/environ",
  "to-the-root-by-proc": "/proc/self/root/etc/passwd",
  "dangling-out": "../outside/missing",
  "to-a-device": "/dev/zero",
  "to-a-terminal": "/dev/tty",
};
const NOWHERE: Record<string, string> = { dangling: "folder/missing" };
const LOOPS: Record<string, string> = { loop: "loop", ping: "folder/pong", "folder/pong": "../ping" };
const INSIDE: Record<string, string> = {
  "to-a": "folder/a",
  "to-a-twice": "to-a",
  "by-the-way-out": "../repository/folder/a",
};

let folder: TempFolder;
let server: TestServer;
let client: Client;
let secrets: Record<string, string>;

beforeAll(async () => {
  folder = new TempFolder();
  writeTree(folder.path, {
    "repository/folder/a": "inside",
    "repository-2/neighbour": "neighbour",
    "outside/secret": "secret",
  });
  for (const [name, to] of Object.entries({ ...OUT, ...NOWHERE, ...LOOPS, ...INSIDE })) {
    symlinkSync(to, folder.join("repository", name));
  }
  const secret = openSync(folder.join("outside/secret"), "r");
  symlinkSync(`/proc/self/fd/${secret}`, folder.join("repository/to-an-open-file"));
  OUT["to-an-open-file"] = "";
  server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
  client = await server.tcpClient();
  secrets = { ...snapshot(folder.join("outside")), ...snapshot(folder.join("repository-2")) };
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function get(path: string, local = new MemoryStorage()) {
  const items = async function* () {
    yield [{ from: path, to: "here", kind: "file", size: 0, modifiedAt: 0 } satisfies TransferItem];
  };
  const { codes, failed, done } = await fetchAll(client, local, { items });
  return { codes, failed, done, local };
}

async function put(path: string) {
  const local = new MemoryStorage();
  local.set(path, Buffer.from("overwritten"));
  return sendAll(client, local, { exists: "overwrite", paths: [path] });
}

describe("a link that leads out", () => {
  const names = [...Object.keys(OUT), "to-an-open-file"];

  test.each(names)("is refused with words by every method that reads: %s", async (path) => {
    for (const work of [() => client.stat(path), () => client.digest(path), () => client.list(path).next()]) {
      const { code, message } = await faultOf(work);
      expect({ code, words: message.includes("leads out"), tells: message.includes(folder.path) }).toEqual({
        code: "NOT_ALLOWED",
        words: true,
        tells: false,
      });
    }
    const { failed, done } = await get(path);
    expect({ failed, done }).toMatchObject({ failed: [{ code: "NOT_ALLOWED" }], done: [] });
    expect(failed[0]?.message).toContain("leads out");
  });

  test.each(["to-a-folder", "to-the-parent", "to-the-root", "to-a-sibling"])(
    "does not tell whether anything is behind it, and lets nothing be changed there: %s",
    async (link) => {
      for (const path of [
        `${link}/missing`,
        `${link}/secret`,
        `${link}/neighbour`,
        `${link}/etc/passwd`,
        `${link}/a/b/c`,
      ]) {
        for (const work of [
          () => client.stat(path),
          () => client.digest(path),
          () => client.remove(path, true),
          () => client.rename(path, "stolen", true),
          () => client.rename("folder/a", path, true),
        ]) {
          expect((await faultOf(work)).code).toBe("NOT_ALLOWED");
        }
        expect((await put(path)).codes.concat((await get(path)).codes)).toEqual(["NOT_ALLOWED", "NOT_ALLOWED"]);
      }
      expect({ ...snapshot(folder.join("outside")), ...snapshot(folder.join("repository-2")) }).toEqual(secrets);
    },
  );

  test("is listed as a link, and nothing behind it", async () => {
    const kinds: Record<string, string> = {};
    for await (const { path, kind } of client.list()) kinds[path] = kind;
    for (const path of [...names, ...Object.keys(NOWHERE), ...Object.keys(LOOPS)]) expect(kinds[path]).toBe("link");
    for (const path of Object.keys(INSIDE)) expect(kinds[path]).toBe("file");
    expect(Object.keys(kinds).filter((path) => /secret|neighbour|passwd/.test(path))).toEqual([]);
  });

  test("is not watched: nothing behind it is reported", async () => {
    const changes: Change[] = [];
    const abort = new AbortController();
    const before = client.answers;
    const watching = (async () => {
      for await (const change of client.watch(undefined, abort.signal)) changes.push(change);
    })().catch(() => {});
    // Accepted when it hears.
    await until(() => client.answers > before);
    writeFileSync(folder.join("outside/new"), "x");
    writeFileSync(folder.join("repository-2/new"), "x");
    writeFileSync(folder.join("repository/folder/after"), "x");
    await until(() => changes.some((change) => "path" in change && change.path === "folder/after"));
    abort.abort();
    await watching;
    expect(
      changes.flatMap((change) => ("path" in change ? [change.path] : [])).filter((path) => path.endsWith("new")),
    ).toEqual([]);
    for (const path of ["outside/new", "repository-2/new"]) renameSync(folder.join(path), folder.join("gone"));
  });
});

describe("other links", () => {
  test.each(Object.keys(INSIDE))("that stays inside is followed: %s", async (path) => {
    expect(await client.stat(path)).toMatchObject({ kind: "file", size: 6 });
    expect((await readWhole((await get(path)).local, "here")).toString()).toBe("inside");
  });

  test.each(Object.keys(NOWHERE))("that leads nowhere is NOT_FOUND: %s", async (path) => {
    expect((await faultOf(() => client.stat(path))).code).toBe("NOT_FOUND");
    expect((await get(path)).codes).toEqual(["NOT_FOUND"]);
  });

  test.each(Object.keys(LOOPS))("that leads to itself is refused with words: %s", async (path) => {
    for (const work of [() => client.stat(path), () => client.digest(path)]) {
      expect(await faultOf(work)).toMatchObject({ code: "UNREADABLE", message: expect.stringContaining("itself") });
    }
    expect((await get(path)).codes).toEqual(["UNREADABLE"]);
  });
});

describe("a FIFO and a socket", () => {
  test("hold nothing up and stay what they are: stat, list, get, digest, put over them, rename onto them", async () => {
    mkdirSync(folder.join("repository/odd"));
    writeFileSync(folder.join("repository/odd/file"), "x");
    expect(Bun.spawnSync(["mkfifo", folder.join("repository/odd/fifo")]).exitCode).toBe(0);
    let connections = 0;
    const listener = Bun.listen({
      unix: folder.join("repository/odd/socket"),
      socket: { open: () => void connections++, data: () => {} },
    });
    for (const path of ["odd/fifo", "odd/socket"]) {
      expect(await client.stat(path)).toMatchObject({ kind: "other", size: 0 });
      expect((await client.list(path).next()).value).toMatchObject({ path, kind: "other" });
      expect(await faultOf(() => client.digest(path))).toMatchObject({ code: "NOT_A_FILE" });
      expect((await get(path)).codes).toEqual(["NOT_A_FILE"]);
      expect((await put(path)).codes).toEqual(["EXISTS"]);
      expect((await put(`${path}/below`)).codes).toEqual(["EXISTS"]);
      expect((await faultOf(() => client.rename("odd/file", path, true))).code).toBe("EXISTS");
    }
    expect(statSync(folder.join("repository/odd/fifo")).isFIFO()).toBe(true);
    expect(statSync(folder.join("repository/odd/socket")).isSocket()).toBe(true);
    await client.rename("odd/fifo", "odd/pipe", false);
    await client.remove("odd/pipe", false);
    await client.remove("odd", true);
    listener.stop(true);
    expect(connections).toBe(0);
    expect(readdirSync(folder.join("repository"))).not.toContain("odd");
  });
});
