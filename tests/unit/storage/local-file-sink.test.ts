import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { LocalFileSink } from "../../../lib/storage/local-file-sink.ts";
import { faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const NEW = { overwrite: false };
const OVER = { overwrite: true };
const bytes = (text: string) => Buffer.from(text);

describe("LocalFileSink", () => {
  test("shows the file whole and only after commit()", async () => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("a.txt"), NEW);
    await sink.write(bytes("first "));
    await sink.write(bytes("second"));
    expect(existsSync(folder.join("a.txt"))).toBe(false);
    await sink.commit(0);
    expect(readdirSync(folder.path)).toEqual(["a.txt"]);
    expect(readFileSync(folder.join("a.txt"), "utf8")).toBe("first second");
  });

  test("keeps what it writes beside its target, in a name that ends in .part", async () => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("a.txt"), NEW);
    await sink.write(bytes("x"));
    expect(readdirSync(folder.path)).toEqual([expect.stringMatching(/^a\.txt\..*\.part$/)]);
    await sink.abort();
  });

  test("commits an empty file", async () => {
    using folder = new TempFolder();
    await (await LocalFileSink.create(folder.join("empty"), NEW)).commit(0);
    expect(statSync(folder.join("empty")).size).toBe(0);
  });

  test("writes many MB in order, from a buffer that is used again", async () => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("large"), NEW);
    const buffer = new Uint8Array(1_000_003);
    for (let turn = 0; turn < 8; turn++) await sink.write(buffer.fill(turn));
    await sink.commit(0);
    const content = readFileSync(folder.join("large"));
    expect(content.length).toBe(8_000_024);
    for (let turn = 0; turn < 8; turn++) {
      expect(content.subarray(turn * 1_000_003, (turn + 1) * 1_000_003).every((byte) => byte === turn)).toBe(true);
    }
  });

  test.each([0, 1, 999, 1_700_000_000_123, 1_700_000_000_999, 2_019_111_207_639, -1, -86_400_001])(
    "keeps the time of the file to the millisecond: %p",
    async (modifiedAt) => {
      using folder = new TempFolder();
      await (await LocalFileSink.create(folder.join("a"), NEW)).commit(modifiedAt);
      const { mtimeNs } = statSync(folder.join("a"), { bigint: true });
      expect(mtimeNs).toBe(BigInt(modifiedAt) * 1_000_000n);
    },
  );

  test("abort() leaves nothing, also before the first byte, and twice", async () => {
    using folder = new TempFolder();
    for (const content of ["", "some bytes"]) {
      const sink = await LocalFileSink.create(folder.join("a"), NEW);
      await sink.write(bytes(content));
      await sink.abort();
      await sink.abort();
      expect(readdirSync(folder.path)).toEqual([]);
    }
  });

  test("abort() after commit() has no effect", async () => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("a"), NEW);
    await sink.write(bytes("kept"));
    await sink.commit(0);
    await sink.abort();
    expect(readFileSync(folder.join("a"), "utf8")).toBe("kept");
  });

  test("two sinks for one name do not mix; the first that commits has it", async () => {
    using folder = new TempFolder();
    const one = await LocalFileSink.create(folder.join("a"), NEW);
    const two = await LocalFileSink.create(folder.join("a"), NEW);
    await one.write(bytes("one"));
    await two.write(bytes("two"));
    await one.commit(0);
    expect((await faultOf(() => two.commit(0))).code).toBe("EXISTS");
    expect(readdirSync(folder.path)).toEqual(["a"]);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("one");
  });
});

describe("LocalFileSink: what is under the name already", () => {
  test("is refused as EXISTS at once, and stays as it is", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "old");
    const fault = await faultOf(() => LocalFileSink.create(folder.join("a"), NEW));
    expect(fault.code).toBe("EXISTS");
    expect(fault.message).toContain(folder.join("a"));
    expect(readdirSync(folder.path)).toEqual(["a"]);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("old");
  });

  test.each([
    ["a folder", (path: string) => mkdirSync(path)],
    ["a link that dangles", (path: string) => symlinkSync("missing", path)],
  ])("%s is refused as EXISTS at once, not after the last byte", async (_, make) => {
    using folder = new TempFolder();
    make(folder.join("a"));
    const creating = LocalFileSink.create(folder.join("a"), NEW).then((sink) => sink.abort());
    expect((await faultOf(() => creating)).code).toBe("EXISTS");
  });

  test.each([
    ["a folder", (path: string) => mkdirSync(path)],
    ["a file", (path: string) => writeFileSync(path, "theirs")],
    ["an empty file", (path: string) => writeFileSync(path, "")],
    ["a link that dangles", (path: string) => symlinkSync("missing", path)],
  ])("%s that appears meanwhile is not replaced", async (_, make) => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("a"), NEW);
    await sink.write(bytes("ours"));
    make(folder.join("a"));
    expect((await faultOf(() => sink.commit(0))).code).toBe("EXISTS");
    expect(readdirSync(folder.path)).toEqual(["a"]);
    if (statSync(folder.join("a"), { throwIfNoEntry: false })?.isFile()) {
      expect(readFileSync(folder.join("a"), "utf8")).not.toBe("ours");
    }
  });

  test("is replaced with `overwrite`, and whole until then", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "the old and longer content");
    const sink = await LocalFileSink.create(folder.join("a"), OVER);
    await sink.write(bytes("new"));
    expect(readFileSync(folder.join("a"), "utf8")).toBe("the old and longer content");
    await sink.commit(0);
    expect(readdirSync(folder.path)).toEqual(["a"]);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("new");
  });

  test("stays when a sink with `overwrite` is aborted", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "old");
    const sink = await LocalFileSink.create(folder.join("a"), OVER);
    await sink.write(bytes("new"));
    await sink.abort();
    expect(readFileSync(folder.join("a"), "utf8")).toBe("old");
  });

  test("with `overwrite` a link is replaced, not what it leads to", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("target"), "target");
    symlinkSync("target", folder.join("a"));
    await (await LocalFileSink.create(folder.join("a"), OVER)).commit(0);
    expect(readFileSync(folder.join("target"), "utf8")).toBe("target");
    expect(statSync(folder.join("a")).size).toBe(0);
  });

  test("with `overwrite` a folder is not replaced, and nothing is left", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("a"));
    writeFileSync(folder.join("a/inner"), "x");
    const sink = LocalFileSink.create(folder.join("a"), OVER).then((made) => made.commit(0));
    await faultOf(() => sink);
    expect(readdirSync(folder.path)).toEqual(["a"]);
    expect(readFileSync(folder.join("a/inner"), "utf8")).toBe("x");
  });

  test("with `overwrite` a FIFO or a device is not replaced: /dev/null must survive --output", async () => {
    using folder = new TempFolder();
    Bun.spawnSync(["mkfifo", folder.join("a")]);
    const sink = LocalFileSink.create(folder.join("a"), OVER).then((made) => made.commit(0));
    await sink.catch(() => {});
    expect(statSync(folder.join("a")).isFIFO()).toBe(true);
  });
});

describe("LocalFileSink: names and places", () => {
  test("a missing folder is DISK_DENIED, and is not made", async () => {
    using folder = new TempFolder();
    const fault = await faultOf(() => LocalFileSink.create(folder.join("missing/a"), NEW));
    expect(fault.code).toBe("DISK_DENIED");
    expect(fault.message).toContain("does not exist");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("a folder that goes meanwhile is DISK_DENIED at commit()", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("sub"));
    const sink = await LocalFileSink.create(folder.join("sub/a"), NEW);
    await sink.write(bytes("x"));
    rmSync(folder.join("sub"), { recursive: true });
    expect((await faultOf(() => sink.commit(0))).code).toBe("DISK_DENIED");
  });

  test.each(["two words", "-rf", "é", "🦊", "a.part", ".hidden"])("takes the name %p", async (name) => {
    using folder = new TempFolder();
    await (await LocalFileSink.create(folder.join(name), NEW)).commit(0);
    expect(readdirSync(folder.path)).toEqual([name]);
  });

  test.each(["x".repeat(255), `${"é".repeat(127)}x`])("takes the longest name of a repository: %p", async (name) => {
    using folder = new TempFolder();
    await (await LocalFileSink.create(folder.join(name), NEW)).commit(0);
    expect(readdirSync(folder.path)).toEqual([name]);
  });
});

// What a peer may announce: PROTOCOL.md sets no limit to a time.
test.each([8.64e15 + 1, 1e18, -1e18, 1e300])(
  "LocalFileSink does not lose a file that has come whole for its impossible time: %p",
  async (modifiedAt) => {
    using folder = new TempFolder();
    const sink = await LocalFileSink.create(folder.join("a"), NEW);
    await sink.write(bytes("content"));
    await sink.commit(modifiedAt);
    expect(readFileSync(folder.join("a"), "utf8")).toBe("content");
  },
);
