import { describe, expect, test } from "bun:test";
import { readdirSync, renameSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import type { Change, Entry } from "../../lib/protocol/methods.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { frame } from "../support/frames.ts";
import { watch } from "../support/outcomes.ts";
import { chunk } from "../support/raw-chunks.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll, sha256Of, type Told } from "../support/transfers.ts";
import { until } from "../support/until.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function paths(client: Client, glob?: string): Promise<string[]> {
  const found: Entry[] = [];
  for await (const entry of client.list(glob)) found.push(entry);
  return found.map(({ path }) => path);
}

/** Fetch what `client` may call `path` into a folder of this machine, where it is `target`. */
async function fetchTo(client: Client, path: string, folder: string, target = path): Promise<Told> {
  const local = await LocalStorage.ofUser(folder);
  const items = async function* () {
    yield [{ from: path, to: target, kind: "file" as const, size: 0, modifiedAt: 0 }];
  };
  return fetchAll(client, local, { items, exists: "fail" });
}

describe("list", () => {
  test.each([
    [undefined, ["a.txt", "docs", "docs/b.txt", "docs/deep", "docs/deep/c.png", "z z.txt"]],
    ["docs", ["docs/b.txt", "docs/deep", "docs/deep/c.png"]],
    ["docs/", ["docs/b.txt", "docs/deep", "docs/deep/c.png"]],
    ["a.txt", ["a.txt"]],
    ["*.txt", ["a.txt", "z z.txt"]],
    ["**/*.txt", ["a.txt", "docs/b.txt", "z z.txt"]],
    ["docs/*", ["docs/b.txt", "docs/deep"]],
    ["{a,b}.txt", ["a.txt"]],
    ["nothing*", []],
  ])("%p selects %p", async (glob, expected) => {
    await using server = new TestServer();
    for (const path of ["a.txt", "docs/b.txt", "docs/deep/c.png", "z z.txt"]) server.storage.set(path, bytesOf(path));
    expect(await paths(await server.client(), glob)).toEqual(expected);
  });

  test.each([
    ["missing", "NOT_FOUND"],
    ["missing/*.txt", "NOT_FOUND"],
    ["../x", "BAD_PATH"],
    ["../*", "BAD_PATH"],
    ["/etc/*", "BAD_PATH"],
  ])("%p is refused with %s", async (glob, code) => {
    await using server = new TestServer();
    server.storage.set("a", bytesOf("a"));
    await expect(paths(await server.client(), glob)).rejects.toMatchObject({ code });
  });

  test("tells the folders above what a pattern selects when it is asked to, with their rights", async () => {
    await using server = new TestServer();
    const { storage } = server;
    await storage.makeFolder("docs", 0o750);
    await storage.makeFolder("docs/deep", 0o700);
    for (const path of ["a.txt", "docs/b.txt", "docs/deep/c.png", "docs/deep/d.png", "empty/e.txt"])
      storage.set(path, bytesOf(path));
    const client = await server.client();
    const listed = async (glob: string) => {
      const found: Entry[] = [];
      for await (const batch of client.listBatches(glob, undefined, { parents: true })) found.push(...batch);
      return found.map(({ path, mode }) => (mode === undefined ? path : `${path} ${mode.toString(8)}`));
    };
    expect(await listed("**/*.png")).toEqual(["docs 750", "docs/deep 700", "docs/deep/c.png", "docs/deep/d.png"]);
    expect(await listed("docs/*/c*")).toEqual(["docs/deep 700", "docs/deep/c.png"]);
    expect(await listed("docs/*")).toEqual(["docs/b.txt", "docs/deep 700"]);
    expect(await listed("docs")).toEqual(["docs/b.txt", "docs/deep 700", "docs/deep/c.png", "docs/deep/d.png"]);
  });

  test("a client that has seen enough stops it, and the session goes on", async () => {
    await using server = new TestServer();
    for (let index = 0; index < 30_000; index++) server.storage.set(`${"x".repeat(100)}${index}`, new Uint8Array(0));
    const client = await server.tcpClient();
    for await (const { path } of client.list()) {
      expect(path).toEndWith("x0");
      break;
    }
    expect((await client.send("on")).text).toBe("on ACK");
  });
});

describe("get", () => {
  const names = [
    "plain.txt",
    "with spaces.txt",
    "-leading-dash",
    "grüße-你好.txt",
    "sub/folder/file",
    "10:30 notes",
    "[brackets]*?",
  ];
  test.each(names)("serves %p whole, with its time", async (name) => {
    await using server = new TestServer();
    using folder = new TempFolder();
    const content = bytesOf(`content of ${name}`);
    server.storage.set(name, content, 1_600_000_000_123);
    expect((await fetchTo(await server.tcpClient(), name, folder.path, "out")).paths).toEqual(["out"]);
    expect(await Bun.file(folder.join("out")).bytes()).toEqual(content);
    expect(Math.round(Bun.file(folder.join("out")).lastModified)).toBe(1_600_000_000_123);
  });

  test.each([
    ["../secret", "BAD_PATH", ".."],
    ["a/../../b", "BAD_PATH", ".."],
    ["/etc/passwd", "BAD_PATH", "absolute"],
    ["a\0b", "BAD_PATH", "NUL"],
    ["a\\b", "NOT_FOUND", "a\\\\b"],
    ["C:/x", "NOT_FOUND", "C:/x"],
    ["a//b", "BAD_PATH", "empty component"],
    ["", "BAD_PATH", "empty"],
    ["folder", "NOT_A_FILE", "folder"],
    ["missing", "NOT_FOUND", "missing"],
  ])("%p is refused with %s, and leaves no file", async (path, code, words) => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("folder/x", bytesOf("x"));
    const { failed, done } = await fetchTo(await server.client(), path, folder.path, "out");
    expect(failed).toMatchObject([{ code, message: expect.stringContaining(words) }]);
    expect(done).toEqual([]);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("a local target that exists is left alone", async () => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("a", bytesOf("new"));
    await Bun.write(folder.join("out"), "old");
    const { failed } = await fetchTo(await server.client(), "a", folder.path, "out");
    expect(failed).toMatchObject([{ code: "EXISTS" }]);
    expect(await Bun.file(folder.join("out")).text()).toBe("old");
    expect(readdirSync(folder.path)).toEqual(["out"]);
  });

  test("an interrupt ends it, leaves nothing under the file's name, and the session goes on", async () => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("big", new Uint8Array(64 * 1024 * 1024));
    const client = await server.tcpClient();
    const abort = new AbortController();
    const fetching = fetchAll(client, await LocalStorage.ofUser(folder.path), {
      onProgress: () => abort.abort(),
      signal: abort.signal,
    });
    await expect(fetching).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(readdirSync(folder.path)).not.toContain("big");
    expect((await client.send("on")).text).toBe("on ACK");
  });

  test("three at once over one session and three sessions arrive whole", async () => {
    await using server = new TestServer();
    using folder = new TempFolder();
    const content = crypto.getRandomValues(new Uint8Array(65_536));
    const files = Array.from({ length: 9 }, (_, index) =>
      Buffer.concat(Array.from({ length: 20 + index }, () => content)),
    );
    for (const [index, file] of files.entries()) server.storage.set(`f${index}`, file);
    const clients = [await server.tcpClient(), await server.tcpClient(), await server.tcpClient()];
    const local = await LocalStorage.ofUser(folder.path);
    await Promise.all(files.map((_, index) => fetchAll(clients[index % 3] as Client, local, { paths: [`f${index}`] })));
    const digests = await Promise.all(
      files.map(async (_, index) => sha256Of(await Bun.file(folder.join(`f${index}`)).bytes())),
    );
    expect(digests).toEqual(files.map((file) => sha256Of(file)));
  });
});

describe("a repository that is read-only", () => {
  test("is read by everyone and changed by nobody", async () => {
    await using server = new TestServer({ writable: false });
    using folder = new TempFolder();
    await Bun.write(folder.join("new"), "new");
    server.storage.set("a", bytesOf("a"));
    const client = await server.tcpClient();
    const local = await LocalStorage.ofUser(folder.path);
    await expect(sendAll(client, local)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    await expect(client.remove("a", false)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    await expect(client.rename("a", "b", false)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    expect(await paths(client)).toEqual(["a"]);
    expect((await client.digest("a")).sha256).toBe(sha256Of(bytesOf("a")));
    expect((await fetchAll(client, local)).paths).toEqual(["a"]);
  });

  test("refuses a put that does not wait for the answer before a byte of it is stored", async () => {
    await using server = new TestServer({ writable: false });
    await using peer = await RawPeer.admitted(server.listen());
    const facts = { path: "x", exists: "fail", size: 1, modifiedAt: 0, executable: false, etag: "e" };
    const body = [chunk("FILE", 0, facts), chunk("BLOCK", 0, Buffer.from("x")), chunk("SEAL", 0)];
    peer.send(frame("OPEN", { method: "put", params: {} }, 1), frame("DATA", Buffer.concat(body), 1));
    expect(await peer.next("RESET")).toMatchObject({ stream: 1, json: { code: 37 } });
    expect(await server.storage.stat("x").catch(({ code }) => code)).toBe("NOT_FOUND");
  });
});

describe("watch", () => {
  async function watching(client: Client, glob?: string): Promise<{ changes: Change[]; stop(): Promise<void> }> {
    const changes: Change[] = [];
    const abort = new AbortController();
    const before = client.answers;
    const iterator = client.watch(glob, abort.signal);
    const done = (async () => {
      for await (const change of iterator) changes.push(change);
    })();
    const outcome = watch(done);
    // Accepted when it hears: another request may be answered before that.
    await until(() => client.answers > before);
    return {
      changes,
      stop: async () => {
        abort.abort();
        await until(() => outcome.state !== "pending");
      },
    };
  }

  test("reports what others add, change, rename and remove, if it was asked for", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("here"), "here");
    await Bun.write(folder.join("docs/old"), "old");
    await using server = new TestServer({ storage: await LocalStorage.at(folder.path) });
    const watcher = await server.tcpClient();
    const all = await watching(watcher);
    const texts = await watching(watcher, "docs/*.txt");
    using source = new TempFolder();
    await Bun.write(source.join("docs/a.txt"), "a");
    await Bun.write(source.join("b.bin"), "bb");
    const other = await server.tcpClient();
    await sendAll(other, await LocalStorage.ofUser(source.path));
    const told = (change: string, path: string) => () =>
      all.changes.some((each) => each.change === change && "path" in each && each.path === path);
    await until(told("added", "docs/a.txt"));
    await until(told("added", "b.bin"));
    await Bun.write(folder.join("here"), "there");
    await until(told("changed", "here"));
    await other.rename("docs/a.txt", "docs/c.txt", false);
    await until(told("removed", "docs/a.txt"));
    await until(told("added", "docs/c.txt"));
    await other.remove("docs", true);
    await until(told("removed", "docs"));
    // With its folder went what was asked for.
    await until(() => texts.changes.some((each) => "path" in each && each.path === "docs"));
    expect(new Set(texts.changes.map((each) => "path" in each && each.path))).toEqual(
      new Set(["docs/a.txt", "docs/c.txt", "docs"]),
    );
    expect(JSON.stringify(all.changes)).not.toContain(".commserver-");
    await Promise.all([all.stop(), texts.stop()]);
    expect((await watcher.send("on")).text).toBe("on ACK");
  });

  test("reports folders that came or went with their contents to watchers of anything in them", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("outside/sub/a.txt"), "a");
    await Bun.write(folder.join("repository/here"), "here");
    await using server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
    const client = await server.tcpClient();
    const globs = ["docs/*.md", "in/*.txt", "in/sub", "in/sub/a.txt", "*/sub/*.txt", "**/*.txt", "in/sub/deep/**"];
    const watches = await Promise.all(globs.map((glob) => watching(client, glob)));
    renameSync(folder.join("outside"), folder.join("repository/in"));
    const told = () =>
      Object.fromEntries(
        watches.map(({ changes }, index) => [
          globs[index],
          changes.map((each) => `${each.change} ${"path" in each ? each.path : each.count}`),
        ]),
      );
    const allButFirst = (lines: string[]) =>
      Object.fromEntries(globs.map((glob, index) => [glob, index === 0 ? [] : lines]));
    await until(() => Bun.deepEquals(told(), allButFirst(["added in"])));
    renameSync(folder.join("repository/in"), folder.join("repository/on"));
    const onlySome = { ...allButFirst(["added in", "removed in"]) };
    for (const glob of ["*/sub/*.txt", "**/*.txt"]) onlySome[glob] = ["added in", "removed in", "added on"];
    await until(() => Bun.deepEquals(told(), onlySome));
  });

  test("ends at once, in order, when the server stops", async () => {
    await using server = new TestServer();
    const client = await server.tcpClient();
    const outcome = watch(client.watch().next());
    await client.send("in order");
    // It is not what a shutdown waits for: nobody is going to end it.
    await server.server.shutdown(600_000);
    await until(() => outcome.state !== "pending");
    expect(outcome).toMatchObject({ state: "resolved", value: { done: true } });
  });

  test("does not hold the server's end up, nor another client, when it is not read", async () => {
    await using server = new TestServer();
    const client = await server.tcpClient();
    const iterator = client.watch();
    const first = iterator.next();
    await client.send("in order");
    for (let index = 0; index < 30_000; index++) server.storage.set(`${"x".repeat(200)}${index}`, new Uint8Array(0));
    expect(await first).toMatchObject({ done: false });
    expect((await (await server.tcpClient()).send("on")).text).toBe("on ACK");
    let missed = 0;
    let told = 1;
    while (told + missed < 30_000) {
      const { value, done } = await iterator.next();
      if (done || value === undefined) break;
      if (value.change === "missed") missed += value.count;
      else told++;
    }
    expect(told + missed).toBe(30_000);
    await iterator.return();
  });
});

describe("status", () => {
  test("reports all sessions, and pages through the ledger", async () => {
    await using server = new TestServer({ maxClients: 2 });
    for (let index = 0; index < 5; index++) await (await server.tcpClient()).close();
    const client = await server.tcpClient();
    const first = await client.status({ limit: 4 });
    expect(first.self).toMatchObject({ name: "Client06", role: "write" });
    expect(first.seats).toMatchObject({ max: 2, taken: 1, waiting: 0 });
    expect(first.total).toBe(6);
    expect(first.sessions.map(({ name }) => name)).toEqual(["Client06", "Client05", "Client04", "Client03"]);
    expect(first.sessions[0]).toMatchObject({ endedAt: null, reason: null });
    expect(first.sessions[1]).toMatchObject({ reason: "exit" });
    const second = await client.status({ limit: 4, before: first.next as number });
    expect(second.sessions.map(({ name }) => name)).toEqual(["Client02", "Client01"]);
    expect(second.next).toBeNull();
  });

  test("counts the bytes of a live session as of now", async () => {
    await using server = new TestServer();
    server.storage.set("big", new Uint8Array(1_000_000));
    using folder = new TempFolder();
    const client = await server.tcpClient();
    await fetchTo(client, "big", folder.path);
    expect((await client.status()).sessions[0]?.bytesOut).toBeGreaterThan(1_000_000);
  });
});
