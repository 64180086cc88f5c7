/** `put --untar`: what becomes of each kind of member, and of tars that are none. */
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { unpackAll } from "../../lib/cli/client/untar/unpack.ts";
import { Connection } from "../../lib/client/connection.ts";
import { Filter, type FilterRules } from "../../lib/client/filter.ts";
import { systemClock } from "../../lib/session/clock.ts";
import { PrivatePlaces } from "../../lib/storage/local/private/private-places.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { ExistsPolicy } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { tarHead, tarPadding } from "../../lib/tar.ts";
import { writeTree } from "../support/repository.ts";
import { missingTar, runTar, TARS } from "../support/tars.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestIo } from "../support/test-io.ts";
import { TestServer } from "../support/test-server.ts";

const MIB = 1024 * 1024;
const AT = 1_700_000_000_123;
const END = new Uint8Array(1024);

interface Options {
  readonly exists?: ExistsPolicy;
  readonly filter?: Partial<FilterRules>;
  readonly to?: string;
  readonly server?: TestServer;
  /** The tar comes through a pipe. */
  readonly isPiped?: boolean;
  onConnection?(connection: Connection): void;
}

/** Unpack a tar of these bytes. @returns the exit code, all that was said, and the files of the repository then */
async function unpacked(
  tar: Uint8Array,
  { exists = "fail", filter, to = "", isPiped = false, ...options }: Options = {},
) {
  await using own = new TestServer();
  const server = options.server ?? own;
  using folder = new TempFolder();
  if (isPiped) Bun.spawnSync(["mkfifo", folder.join("t.tar")]);
  const writing = isPiped ? writeFile(folder.join("t.tar"), tar) : writeFileSync(folder.join("t.tar"), tar);
  const connection = await Connection.open({
    ...{ clock: systemClock, reconnectMs: 60_000, random: () => 0, connect: () => server.client() },
  });
  options.onConnection?.(connection);
  const io = new TestIo();
  const exit = await unpackAll(
    connection,
    {
      ...{ sources: ["t.tar"], to, exists, strict: false, json: false },
      filter: filter && new Filter({ lines: [], exclude: [], include: [], ...filter }),
    },
    { io, signal: new AbortController().signal, places: new PrivatePlaces(), here: folder.path },
  );
  const files: Record<string, string> = {};
  for await (const batch of server.storage.list("", { enter: () => true }))
    for (const { path, kind, size } of batch) {
      const loaded = kind === "file" ? await server.storage.load(path, MIB) : undefined;
      files[kind === "folder" ? `${path}/` : path] =
        loaded === undefined ? `${size}` : Buffer.from(loaded.bytes).toString();
    }
  await connection.client.close();
  await writing;
  return { exit, files, said: [...io.written, ...io.notes].join("\n") };
}

const FACTS = { kind: "file", modifiedAt: AT, executable: false } as const;

/** A member with these bytes. */
function member(name: string, content: string, facts: Partial<Parameters<typeof tarHead>[1]> = {}): Uint8Array {
  const bytes = Buffer.from(content);
  const head = tarHead(name, { ...FACTS, size: bytes.length, ...facts });
  return Buffer.concat([head, bytes, new Uint8Array(tarPadding(bytes.length))]);
}

/** As member(), with another type and other fields of the head. */
function changed(bytes: Uint8Array, change: (head: Uint8Array) => void): Uint8Array {
  const all = new Uint8Array(bytes);
  change(all);
  all.set(Buffer.from("        "), 148);
  const sum = all.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  all.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return all;
}

const ofType = (type: string) => (head: Uint8Array) => head.set(Buffer.from(type), 156);
const tarOf = (...members: Uint8Array[]) => Buffer.concat([...members, END]);

describe.each(TARS)("a tar of $name", (program) => {
  test.skipIf(missingTar(program))("is unpacked, with names, rights and empty folders", async () => {
    using folder = new TempFolder();
    const long = `${"l".repeat(120)}/${"ü".repeat(90)}`;
    writeTree(folder.path, { "t/a": "alpha", "t/schön": "beta", [`t/${long}`]: "long", "t/none": "" });
    mkdirSync(folder.join("t/bare"));
    writeFileSync(folder.join("t/large"), Buffer.alloc(2 * MIB + 5, "large"));
    utimesSync(folder.join("t/a"), AT / 1000, AT / 1000);
    const { exitCode, stdout } = runTar(program, ["-cf", "-", "./t"], folder.path);
    expect(exitCode).toBe(0);
    await using server = new TestServer();
    const { exit, files } = await unpacked(stdout, { server, to: "in" });
    expect({ exit, files }).toEqual({
      exit: 0,
      files: {
        ...{ "in/": "0", "in/t/": "0", "in/t/a": "alpha", "in/t/schön": "beta", "in/t/none": "", "in/t/bare/": "0" },
        ...{ [`in/t/${"l".repeat(120)}/`]: "0", [`in/t/${long}`]: "long", "in/t/large": `${2 * MIB + 5}` },
      },
    });
    expect((await server.storage.stat("in/t/a")).modifiedAt).toBe(Math.floor(AT / 1000) * 1000);
  });
});

describe("put --untar", () => {
  test("takes the milliseconds and the rights of pax", async () => {
    await using server = new TestServer();
    await unpacked(tarOf(member("a", "alpha", { mode: 0o750 })), { server });
    expect(await server.storage.stat("a")).toMatchObject({ modifiedAt: AT, mode: 0o750, executable: true });
  });

  test("does nothing the second time", async () => {
    await using server = new TestServer();
    const tar = tarOf(member("a", "alpha"), member("b", "beta"));
    await unpacked(tar, { server });
    expect(await unpacked(tar, { server })).toMatchObject({ exit: 0, said: expect.stringContaining("2 unchanged") });
  });

  test.each([
    ["fail", 8, "old"],
    ["skip", 0, "old"],
    ["overwrite", 0, "new"],
    ["rename", 0, "old"],
  ] as const)("follows the rules of put for what exists: %s", async (exists, exit, content) => {
    await using server = new TestServer();
    server.storage.set("a", Buffer.from("old"));
    const { files, ...seen } = await unpacked(tarOf(member("a", "new"), member("b", "beta")), { server, exists });
    expect([seen.exit, files["a"], files["b"]]).toEqual([exit, content, "beta"]);
    expect(files["a (2)"]).toBe(exists === "rename" ? "new" : undefined);
  });

  test.each([
    ["fail", 8, "first"],
    ["overwrite", 0, "second"],
  ] as const)("treats a second member of the same name as a second put: %s", async (exists, exit, content) => {
    const tar = tarOf(member("a", "first"), member("b", "beta"), member("./a", "second"));
    expect(await unpacked(tar, { exists })).toMatchObject({ exit, files: { a: content, b: "beta" } });
  });

  test.each([true, false])("takes more large members than it keeps at a time; through a pipe: %p", async (isPiped) => {
    const contents = ["a", "b", "c", "d"].map((letter) => letter.repeat(1.5 * MIB));
    // Each second one replaces the one before, and waits for it.
    const members = contents.map((content, at) => member(`${Math.floor(at / 2)}`, content, { modifiedAt: AT + at }));
    await using server = new TestServer();
    expect(await unpacked(tarOf(...members), { server, isPiped, exists: "overwrite" })).toMatchObject({ exit: 0 });
    for (const [index, letter] of ["b", "d"].entries()) {
      const file = await server.storage.open(`${index}`);
      const bytes = new Uint8Array(1.5 * MIB);
      expect(await file.read(bytes, 0)).toBe(bytes.length);
      expect(Buffer.from(bytes).equals(Buffer.alloc(bytes.length, letter))).toBe(true);
      await file.close();
    }
  });

  test("goes on after the link was lost, with members that can't be read again", async () => {
    const memory = new MemoryStorage();
    let lose = () => {};
    const storage = new (class extends WrappedStorage {
      #stored = 0;
      override store(...args: Parameters<WrappedStorage["store"]>) {
        if (++this.#stored === 5) lose();
        return super.store(...args);
      }
    })(memory);
    await using server = new TestServer({ storage });
    const members = Array.from({ length: 40 }, (_, index) => member(`${index}`, `${index}`.repeat(200_000)));
    const onConnection = ({ client }: Connection) => {
      lose = () => client.abandon();
    };
    expect(await unpacked(tarOf(...members), { server, isPiped: true, onConnection })).toMatchObject({ exit: 0 });
    for (let index = 0; index < members.length; index++)
      expect((await memory.stat(`${index}`)).size).toBe(`${index}`.length * 200_000);
  });

  test("takes the filters", async () => {
    const tar = tarOf(member("t", "", { kind: "folder" }), member("t/a.txt", "a"), member("t/cache/b", "b"));
    const { files } = await unpacked(tar, { filter: { exclude: ["cache/"] } });
    expect(files).toEqual({ "t/": "0", "t/a.txt": "a" });
    expect((await unpacked(tar, { filter: { include: ["*.csv"] } })).files).toEqual({});
    expect((await unpacked(tar, { filter: { include: ["*.txt"] } })).files).toEqual({ "t/": "0", "t/a.txt": "a" });
  });

  test.each([
    ["/etc/passwd", "it is absolute"],
    ["a/../../b", 'it has the component ".."'],
    ["a\nb", "it has a control character"],
  ])("refuses the name %p alone", async (name, why) => {
    const { exit, files, said } = await unpacked(tarOf(member(name, "bad"), member("good", "good")));
    expect({ exit, files }).toEqual({ exit: 2, files: { good: "good" } });
    expect(said).toContain(why);
  });

  test("refuses a name that is not UTF-8", async () => {
    const odd = changed(member("xx", "bad"), (head) => head.set([0xff, 0xfe], 1024));
    const tar = tarOf(
      changed(member("xx", "", { kind: "file" }).subarray(0), () => {}),
      odd,
    );
    const latin = changed(new Uint8Array(tarHead("xx", { ...FACTS, size: 0, modifiedAt: 0 })).subarray(-512), (head) =>
      head.set([0xff, 0xfe]),
    );
    expect((await unpacked(tarOf(latin))).said).toContain("it is not UTF-8");
    expect((await unpacked(tar)).files["xx"]).toBe("");
  });

  test("says that a hard link has no bytes, and takes the rest", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "t/a": "alpha" });
    linkSync(folder.join("t/a"), folder.join("t/b"));
    const { stdout } = runTar(TARS[0], ["-cf", "-", "--sort=name", "t"], folder.path);
    const { exit, files, said } = await unpacked(stdout);
    expect({ exit, files }).toEqual({ exit: 7, files: { "t/": "0", "t/a": "alpha" } });
    expect(said).toContain('"t/b" is a hard link to "t/a"');
    const { stdout: whole } = runTar(TARS[0], ["-cf", "-", "--hard-dereference", "t"], folder.path);
    expect(await unpacked(whole)).toMatchObject({ exit: 0, files: { "t/b": "alpha" } });
  });

  test("leaves out links, devices and pipes, and says so", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "t/a": "alpha" });
    symlinkSync("/etc", folder.join("t/link"));
    Bun.spawnSync(["mkfifo", folder.join("t/pipe")]);
    const { stdout } = runTar(TARS[0], ["-cf", "-", "t"], folder.path);
    const device = changed(tarHead("null", { ...FACTS, size: 0, modifiedAt: 0 }).subarray(-512), ofType("3"));
    const { exit, files, said } = await unpacked(Buffer.concat([device, stdout]));
    expect({ exit, files }).toEqual({ exit: 0, files: { "t/": "0", "t/a": "alpha" } });
    for (const name of ["t/link", "t/pipe", "null"]) expect(said).toContain(`Left out "${name}"`);
  });

  test.each([
    ["--format=posix", "Make the tar without --sparse, with bsdtar --no-read-sparse", { after: "after" }],
    ["--format=gnu", "--format=posix", {}],
  ])("takes no sparse file of tar %s for its bytes", async (format, advice, files) => {
    using folder = new TempFolder();
    writeTree(folder.path, { after: "after" });
    writeFileSync(folder.join("disk"), "x");
    truncateSync(folder.join("disk"), 3 * MIB);
    const { stdout } = runTar(TARS[0], ["-c", "--sparse", format, "disk", "after"], folder.path);
    const seen = await unpacked(stdout);
    expect(seen).toMatchObject({ exit: 7, files });
    expect(seen.said).toContain(advice);
  });

  test("takes what is whole of a tar that is cut, wherever that is", async () => {
    const tar = tarOf(member("a", "alpha"), member("b", "b".repeat(600)));
    for (let at = 0; at < tar.length; at += 512) {
      const { exit, files, said } = await unpacked(tar.subarray(0, at));
      expect([at, exit, said.includes("ends too early")]).toEqual([at, 7, true]);
      for (const [path, content] of Object.entries(files))
        expect([at, content]).toEqual([at, path === "a" ? "alpha" : "b".repeat(600)]);
    }
    expect((await unpacked(tar)).exit).toBe(0);
  });

  test("ends at what is no tar, or a damaged one", async () => {
    const garbage = await unpacked(Buffer.alloc(4_000, "no tar "));
    expect(garbage).toMatchObject({ exit: 2, files: {}, said: expect.stringContaining("This is not a tar.") });
    const damaged = await unpacked(Buffer.concat([member("a", "alpha"), Buffer.alloc(4_000, "x")]));
    expect(damaged).toMatchObject({ exit: 2, files: { a: "alpha" } });
    expect(damaged.said).toContain('The tar is damaged after "a".');
  });

  test("refuses a head that would fill the memory", async () => {
    const size = 8 * 1024 ** 3 - 1;
    const huge = changed(tarHead("p", { ...FACTS, size, modifiedAt: 0 }).subarray(-512), ofType("x"));
    expect(await unpacked(Buffer.concat([huge, Buffer.alloc(MIB)]))).toMatchObject({ exit: 2, files: {} });
  });

  test.each([
    ["gzip", (bytes: Uint8Array<ArrayBuffer>) => Bun.gzipSync(bytes), "gunzip"],
    ["zstd", (bytes: Uint8Array<ArrayBuffer>) => Bun.zstdCompressSync(bytes), "zstd --decompress"],
  ])("says how a tar of %s is uncompressed", async (name, compress, command) => {
    const { exit, said } = await unpacked(compress(new Uint8Array(tarOf(member("a", "alpha")))));
    expect([exit, said]).toEqual([2, expect.stringContaining(`The tar is compressed (${name}): ${command} < FILE`)]);
  });
});
