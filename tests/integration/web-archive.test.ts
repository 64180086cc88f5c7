/** A folder as a tar of exact length, of which every part is the same as of the whole. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { StorageEntry } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { python } from "../support/python.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { WebSite } from "../support/web-site.ts";

const LONG = `${"long ".repeat(40)}end`;

let site: WebSite;
let whole: Buffer;

beforeAll(async () => {
  site = await WebSite.start();
  mkdirSync(site.folder.join("docs", "sub", "empty"), { recursive: true });
  writeFileSync(site.folder.join("docs", "a.txt"), "alpha");
  writeFileSync(site.folder.join("docs", "sub", "ü"), Buffer.alloc(70_000, "u"));
  writeFileSync(site.folder.join("docs", "sub", LONG), "");
  writeFileSync(site.folder.join("docs", "sub", "block"), Buffer.alloc(512, "b"));
  writeFileSync(site.folder.join("outside"), "not in it");
  utimesSync(site.folder.join("docs", "a.txt"), 1_700_000_000, 1_700_000_000);
  whole = (await site.ask("/files/docs/?archive=tar")).body;
});

afterAll(() => site[Symbol.asyncDispose]());

describe("a folder as a tar", () => {
  test("has its length in its head, and a name", async () => {
    const { status, headers, body } = await site.ask("/files/docs/?archive=tar", { method: "HEAD" });
    expect(status).toBe(200);
    expect(headers["content-length"]).toBe(`${whole.length}`);
    expect(headers["content-type"]).toBe("application/x-tar");
    expect(headers["content-disposition"]).toContain("filename=docs.tar");
    expect(body).toHaveLength(0);
    expect(whole.length % 512).toBe(0);
  });

  test("is what tar reads, with names and times", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("docs.tar"), whole);
    const { exitCode } = Bun.spawnSync(["tar", "-xf", "docs.tar"], {
      cwd: folder.path,
      env: { LC_ALL: "C.UTF-8", PATH: "/bin:/usr/bin" },
    });
    expect(exitCode).toBe(0);
    expect(Bun.spawnSync(["diff", "-r", site.folder.join("docs"), folder.join("docs")]).exitCode).toBe(0);
    expect(readFileSync(folder.join("docs", "sub", LONG))).toHaveLength(0);
    expect(Bun.file(folder.join("docs", "a.txt")).lastModified).toBe(1_700_000_000_000);
  });

  test("comes in parts that fit together, wherever they are cut", async () => {
    const cuts = [1, 511, 512, 513, 1024, 40_000, whole.length - 1025, whole.length - 1];
    for (const at of cuts) {
      const [before, after] = await Promise.all(
        [`bytes=0-${at - 1}`, `bytes=${at}-`].map((range) =>
          site.ask("/files/docs/?archive=tar", { headers: { range } }),
        ),
      );
      expect([at, Buffer.concat([before?.body ?? "", after?.body ?? ""] as Buffer[]).equals(whole)]).toEqual([
        at,
        true,
      ]);
    }
  });

  test("is another after any change in it", async () => {
    mkdirSync(site.folder.join("changes"));
    writeFileSync(site.folder.join("changes", "block"), Buffer.alloc(512, "b"));
    const { etag = "" } = (await site.ask("/files/changes/?archive=tar", { method: "HEAD" })).headers;
    const again = await site.ask("/files/changes/?archive=tar", { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    writeFileSync(site.folder.join("changes", "block"), Buffer.alloc(512, "c"));
    const changed = await site.ask("/files/changes/?archive=tar", { headers: { "if-range": etag, range: "bytes=5-" } });
    expect(changed.status).toBe(200);
    expect(changed.headers["etag"]).not.toBe(etag);
  });

  test("of another kind is none", async () => {
    expect((await site.ask("/files/docs/?archive=rar")).status).toBe(400);
  });
});

describe("a folder as a zip", () => {
  const zip = "/files/docs/?archive=zip";
  const ask = async (range?: string) => (await site.ask(zip, range === undefined ? {} : { headers: { range } })).body;

  test("has its length in its head, and is what unzip and Python read, with names and times", async () => {
    const { status, headers } = await site.ask(zip, { method: "HEAD" });
    const body = await ask();
    expect([status, headers["content-length"]]).toEqual([200, `${body.length}`]);
    expect(headers["content-type"]).toBe("application/zip");
    expect(headers["content-disposition"]).toContain("filename=docs.zip");
    using folder = new TempFolder();
    writeFileSync(folder.join("docs.zip"), body);
    const script = "import zipfile; assert zipfile.ZipFile('docs.zip').testzip() is None";
    for (const [reader, command] of [
      ["unzip", () => ["unzip", "-q", "docs.zip"]],
      ["python3", () => python("-c", script)],
    ] as const) {
      if (Bun.which(reader) === null && Bun.env["CI"] !== "true") continue;
      const env = { LC_ALL: "C.UTF-8", PATH: Bun.env["PATH"] as string };
      const { exitCode, stderr } = Bun.spawnSync(command(), { cwd: folder.path, env });
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    }
    if (Bun.which("unzip") === null) return;
    expect(Bun.spawnSync(["diff", "-r", site.folder.join("docs"), folder.join("docs")]).exitCode).toBe(0);
    expect(Bun.file(folder.join("docs", "a.txt")).lastModified).toBe(1_700_000_000_000);
  });

  test("comes in parts that fit together, wherever they are cut, also from a server that has read nothing", async () => {
    const all = await ask();
    for (let at = 1; at < all.length; at += at < 400 || at > all.length - 900 ? 41 : 9_973) {
      await using fresh = await WebSite.start({ storage: site.access.server.gateway.storage });
      const after = await fresh.ask(zip, { headers: { range: `bytes=${at}-` } });
      expect([at, after.status, after.body.equals(all.subarray(at))]).toEqual([at, 206, true]);
      expect([at, (await ask(`bytes=0-${at - 1}`)).equals(all.subarray(0, at))]).toEqual([at, true]);
    }
  });

  test("is another after any change in it", async () => {
    await using other = await WebSite.start();
    mkdirSync(other.folder.join("docs"));
    writeFileSync(other.folder.join("docs", "a.txt"), "alpha");
    const { etag } = (await other.ask(zip)).headers;
    expect(etag).not.toBe((await other.ask("/files/docs/?archive=tar")).headers["etag"] as string);
    writeFileSync(other.folder.join("docs", "a.txt"), "omega");
    const answer = await other.ask(zip, { headers: { "if-match": etag as string } });
    expect(answer.status).toBe(412);
  });
});

/** A tree with more folders in it than the end of a zip has numbers for. */
class ManyFolders extends WrappedStorage {
  static readonly COUNT = 70_000;

  override async *list(): AsyncGenerator<StorageEntry[], void> {
    const folder = await this.inner.stat("docs");
    yield Array.from({ length: ManyFolders.COUNT }, (_, index) => ({ ...folder, path: `docs/${index}` }));
  }
}

test("a zip of more entries than it has numbers for has its length in its head, and says how many there are", async () => {
  const inner = new MemoryStorage();
  await inner.makeFolder("docs");
  await using many = await WebSite.start({ storage: new ManyFolders(inner) });
  const { status, headers, body, isCut } = await many.ask("/files/docs/?archive=zip");
  expect({ status, isCut, length: headers["content-length"] }).toEqual({
    status: 200,
    isCut: false,
    length: `${body.length}`,
  });
  // Of the last records: the long end, where it is, and the short end.
  expect(body.readUInt32LE(body.length - 98)).toBe(0x06064b50);
  expect(Number(body.readBigUInt64LE(body.length - 98 + 24))).toBe(ManyFolders.COUNT);
  expect(body.readUInt16LE(body.length - 22 + 10)).toBe(0xffff);
});
