import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import { Client as ClientClass } from "../../lib/client/client.ts";
import type { Entry } from "../../lib/protocol/methods.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { LocalFileSink } from "../../lib/storage/local-file-sink.ts";
import { connect } from "../../lib/transport/socket.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function paths(client: Client, glob?: string): Promise<string[]> {
  const found: Entry[] = [];
  for await (const entry of client.list(glob)) found.push(entry);
  return found.map(({ path }) => path);
}

async function fetchTo(client: Client, path: string, target: string): Promise<string> {
  const { sha256 } = await client.get(path, {
    sha256: new Bun.CryptoHasher("sha256"),
    createSink: () => LocalFileSink.create(target, { overwrite: false }),
  });
  return sha256;
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
  test.each(names)("serves %p whole and verified", async (name) => {
    await using server = new TestServer();
    using folder = new TempFolder();
    const content = bytesOf(`content of ${name}`);
    server.storage.set(name, content, 1_600_000_000_123);
    const digest = await fetchTo(await server.tcpClient(), name, folder.join("out"));
    expect(digest).toBe(new Bun.CryptoHasher("sha256").update(content).digest("hex"));
    expect(await Bun.file(folder.join("out")).bytes()).toEqual(content);
    expect(Math.round(Bun.file(folder.join("out")).lastModified)).toBe(1_600_000_000_123);
  });

  test.each([
    ["../secret", "BAD_PATH", ".."],
    ["a/../../b", "BAD_PATH", ".."],
    ["/etc/passwd", "BAD_PATH", "absolute"],
    ["a\0b", "BAD_PATH", "NUL"],
    ["a\\b", "BAD_PATH", "backslash"],
    ["C:/x", "BAD_PATH", "drive"],
    ["a//b", "BAD_PATH", "empty component"],
    ["", "BAD_PATH", "empty"],
    ["folder", "NOT_A_FILE", "folder"],
    ["missing", "NOT_FOUND", "missing"],
  ])("%p is refused with %s, and leaves no file", async (path, code, words) => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("folder/x", bytesOf("x"));
    const fetching = fetchTo(await server.client(), path, folder.join("out"));
    await expect(fetching).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("a local target that exists is left alone", async () => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("a", bytesOf("new"));
    await Bun.write(folder.join("out"), "old");
    await expect(fetchTo(await server.client(), "a", folder.join("out"))).rejects.toMatchObject({ code: "EXISTS" });
    expect(await Bun.file(folder.join("out")).text()).toBe("old");
    expect(readdirSync(folder.path)).toEqual(["out"]);
  });

  test("an interrupt ends it, leaves no file, and the session goes on", async () => {
    await using server = new TestServer();
    using folder = new TempFolder();
    server.storage.set("big", new Uint8Array(64 * 1024 * 1024));
    const client = await server.tcpClient();
    const abort = new AbortController();
    const fetching = client.get("big", {
      sha256: new Bun.CryptoHasher("sha256"),
      createSink: () => LocalFileSink.create(folder.join("big"), { overwrite: false }),
      onProgress: () => abort.abort(),
      signal: abort.signal,
    });
    await expect(fetching).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(readdirSync(folder.path)).toEqual([]);
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
    const digests = await Promise.all(
      files.map((_, index) => fetchTo(clients[index % 3] as Client, `f${index}`, folder.join(`f${index}`))),
    );
    expect(digests).toEqual(files.map((file) => new Bun.CryptoHasher("sha256").update(file).digest("hex")));
  });

  test("a link cut after any number of frames is reported, and never leaves a file", async () => {
    await using server = new TestServer({ maxClients: 100 });
    server.storage.set("file", new Uint8Array(600_000).fill(1));
    using folder = new TempFolder();
    using proxy = new CuttingProxy(server.listen());
    let whole = false;
    for (let frames = 1; !whole; frames++) {
      const target = folder.join(`out${frames}`);
      const transport = await connect(
        { kind: "tcp", host: "127.0.0.1", port: proxy.cutAfter(frames) },
        { timeoutMs: 5_000 },
      );
      try {
        const client = await ClientClass.connect({
          transport,
          clock: systemClock,
          agent: "t",
          wait: false,
          timeoutMs: 5_000,
        });
        await fetchTo(client, "file", target);
        whole = true;
      } catch (error) {
        expect(error).toMatchObject({ code: "LOST" });
        expect(readdirSync(folder.path)).toEqual([]);
      }
    }
    expect(readdirSync(folder.path)).toHaveLength(1);
    expect(proxy.cuts).toBeGreaterThan(4);
  });
});

describe("status", () => {
  test("tells who is who, and pages through the ledger", async () => {
    await using server = new TestServer({ maxClients: 2 });
    for (let index = 0; index < 5; index++) await (await server.tcpClient()).close();
    const client = await server.tcpClient();
    const first = await client.status({ limit: 4 });
    expect(first.self).toMatchObject({ name: "Client06", role: "client" });
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
    await fetchTo(client, "big", folder.join("big"));
    expect((await client.status()).sessions[0]?.bytesOut).toBeGreaterThan(1_000_000);
  });
});
