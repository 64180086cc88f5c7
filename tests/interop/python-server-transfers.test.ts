import { expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, statSync, utimesSync } from "node:fs";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";
import { describeInterop, KEPT, noise, PeerServer } from "./peer.ts";
import { buildFirst, PEER_WIRES, PROVEN, PythonSite } from "./site.ts";

const BLOCK = 1_048_576;
const BIG = noise(2_306_867);
const TREE = { "photos/big.bin": BIG, "photos/deep/grüße 🎉.txt": "hello", "photos/empty": "" };

/** A Python server, and a folder of somebody's own. */
class PeerSite extends PythonSite {
  static open(...options: string[]): Promise<PeerSite> {
    return PeerSite.reached(PROVEN, ...options);
  }

  static async reached(wire: string[], ...options: string[]): Promise<PeerSite> {
    const folder = new TempFolder();
    writeTree(folder.path, { "outer/own/.keep": "" });
    writeTree(folder.join("repository"), { "big.bin": BIG, "docs/a.txt": "abc" });
    return new PeerSite(folder, await PeerServer.start(folder.join("repository"), ...wire, ...options));
  }

  override get own(): string {
    return this.folder.join("outer/own");
  }

  /** Files below a folder that have their real names, with slashes. */
  files(folder = this.own): string[] {
    const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = all.map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1));
    return paths.filter((path) => !/\.keep$|\.commserver-(part|journal)$|\.commserver-lock\//.test(path)).sort();
  }

  async fetched(): Promise<boolean> {
    return Buffer.from(BIG).equals(await Bun.file(`${this.own}/big.bin`).bytes());
  }
}

buildFirst();

describeInterop("rights that a Python server tells, and is told", () => {
  test("come along with what the compiled client gets and puts", async () => {
    await using site = await PeerSite.open("--modes");
    chmodSync(site.folder.join("repository/docs"), 0o700);
    chmodSync(site.folder.join("repository/docs/a.txt"), 0o640);
    chmodSync(site.folder.join("repository/big.bin"), 0o600);
    expect(await site.run("get", "docs", "big.bin")).toMatchObject({ exitCode: 0 });
    const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);
    expect(["docs", "docs/a.txt", "big.bin"].map((path) => modeOf(`${site.own}/${path}`))).toEqual([
      "700",
      "640",
      "600",
    ]);
    expect(await site.run("put", "docs", "big.bin", "--to", "again")).toMatchObject({ exitCode: 0 });
    const offered = site.server.events("offered").map(({ path, mode }) => [path, mode]);
    expect(offered.sort()).toEqual([
      ["again/big.bin", 0o600],
      ["again/docs", 0o700],
      ["again/docs/a.txt", 0o640],
    ]);
    expect(await site.server.finish()).toEqual(KEPT);
  });
});

describeInterop("the compiled client gets from a Python server", () => {
  test.each(PEER_WIRES)("over %s, a folder with all below it", async (_, wire) => {
    await using site = await PeerSite.reached(await wire());
    expect(await site.run("get", "docs", "big.bin", "--output", "inbox/")).toMatchObject({ exitCode: 0 });
    expect(site.files()).toEqual(["inbox/big.bin", "inbox/docs/a.txt"]);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("a block that came damaged once is asked for again, with the etag", async () => {
    await using site = await PeerSite.open("--lie", "damaged-once");
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(await site.fetched()).toBe(true);
    const [, again] = site.server.events("asked");
    expect(again).toMatchObject({ offset: BLOCK, length: BLOCK, etag: expect.any(String) });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("a block under the offset of another does not verify, and is asked for again", async () => {
    await using site = await PeerSite.open("--lie", "other-offset");
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(await site.fetched()).toBe(true);
    expect(site.server.events("asked")).toHaveLength(2);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("what a SEAL leaves out is asked for", async () => {
    await using site = await PeerSite.open("--lie", "early-seal");
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(await site.fetched()).toBe(true);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each(PEER_WIRES)("over %s, a lost link is followed by a return, and by the missing blocks", async (_, wire) => {
    await using site = await PeerSite.reached(await wire(), "--lie", "vanish-once");
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(await site.fetched()).toBe(true);
    const [first, second] = site.server.events("hello");
    expect(first).toMatchObject({ name: "Client01", resume: "" });
    expect(second).toMatchObject({ name: "Client01", resume: expect.stringMatching(/./) });
    expect(site.server.events("asked")[1]).toMatchObject({ offset: 2 * BLOCK, etag: expect.any(String) });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("without --reconnect a lost link is exit 3, and the next get goes on where it ended", async () => {
    await using site = await PeerSite.open("--lie", "vanish-once");
    expect(await site.run("get", "big.bin", "--reconnect", "0")).toMatchObject({ exitCode: 3 });
    expect(site.files()).toEqual([]);
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(await site.fetched()).toBe(true);
    expect(site.server.events("asked")[1]).toMatchObject({ offset: 2 * BLOCK, etag: expect.any(String) });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each([
    ["damaged", 7, "a block whose digest is always wrong"],
    ["damaged-file", 7, "a FILE whose digest is wrong"],
    ["damaged-seal", 7, "a SEAL whose digest is wrong"],
    ["changed", 8, "a file that is never at rest"],
    ["odd-offset", 3, "a BLOCK at no block's offset"],
    ["far-offset", 3, "a BLOCK behind the end"],
    ["short-block", 3, "a BLOCK in the middle that is too short"],
    ["other-id", 3, "a BLOCK of another file"],
    ["other-etag", 3, "FILE with another etag than asked for"],
    ["second-file", 3, "two FILEs"],
    ["no-file", 3, "a BLOCK before FILE"],
    ["no-size", 3, "FILE without a size"],
    ["file-no-json", 3, "FILE that is no JSON"],
    ["file-named-twice", 3, "FILE that names its members twice"],
    ["old-file", 3, "FILE with a time before 1970"],
    ["long", 3, "a size that is too large"],
    ["short", 3, "a size that is too small"],
    ["chunk-kind", 3, "a kind that is unknown"],
    ["folder", 3, "FOLDER"],
    ["long-block", 3, "a BLOCK above the limit"],
    ["empty-block", 3, "a BLOCK of nothing"],
    ["full-seal", 3, "SEAL with bytes"],
  ])("%s: exit %d, and nothing under the real name, for %s", async (lie, exitCode) => {
    await using site = await PeerSite.open("--lie", lie);
    expect(await site.run("get", "big.bin")).toMatchObject({ exitCode, stdout: "" });
    expect(site.files()).toEqual([]);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("FAIL with an unknown code is an error with the server's words", async () => {
    await using site = await PeerSite.open("--lie", "unknown-fail");
    const { exitCode, stderr } = await site.run("get", "big.bin");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("The moon is full.");
    expect(site.files()).toEqual([]);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each([
    "list-climb",
    "list-above",
    "list-absolute",
    "list-empty-part",
    "list-dot",
    "list-backslash",
    "list-control",
    "list-elsewhere",
    "list-sibling",
    "list-unfinished",
  ])("%s: an entry that a hostile server invents is not written", async (lie) => {
    await using site = await PeerSite.open("--lie", lie);
    const { exitCode } = await site.run("get", "docs");
    expect(site.files(site.folder.path).filter((path) => path.includes("evil"))).toEqual([]);
    expect(existsSync("/tmp/commserver-interop-evil")).toBe(false);
    expect(site.files().filter((path) => path !== "docs/a.txt")).toEqual([]);
    expect(exitCode).not.toBe(0);
    expect(await site.server.finish()).toEqual(KEPT);
  });
});

describeInterop("the compiled client puts to a Python server", () => {
  test.each([
    ["that awaits small files", []],
    ["that is ready for small files before they come", ["--hasty"]],
    ["with a credit of 1000", ["--credit", "1000"]],
    ["that loses a block", ["--lie", "lost-once"]],
    ["that loses the link once", ["--lie", "vanish-once"]],
    ["over TLS", undefined],
  ])("a folder with all below it, to a server %s", async (_, options) => {
    const overTls = PEER_WIRES[1][1];
    await using site = options ? await PeerSite.open(...options) : await PeerSite.reached(await overTls());
    writeTree(site.own, TREE);
    expect(await site.run("put", "photos", "--to", "inbox")).toMatchObject({ exitCode: 0 });
    for (const [path, content] of Object.entries(TREE)) {
      const bytes = Buffer.from(await Bun.file(site.folder.join("repository/inbox", path)).bytes());
      expect(bytes.equals(Buffer.from(content as Uint8Array))).toBe(true);
      const [from, to] = [statSync(`${site.own}/${path}`), statSync(site.folder.join("repository/inbox", path))];
      expect(Math.floor(to.mtimeMs)).toBe(Math.floor(from.mtimeMs));
    }
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("an empty folder by FOLDER", async () => {
    await using site = await PeerSite.open();
    writeTree(site.own, { "photos/.keep": "" });
    await Bun.$`mkdir ${site.own}/photos/void`.quiet();
    expect(await site.run("put", "photos")).toMatchObject({ exitCode: 0 });
    expect(statSync(site.folder.join("repository/photos/void")).isDirectory()).toBe(true);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("after a lost link only the blocks that are missing", async () => {
    await using site = await PeerSite.open("--lie", "vanish-once");
    writeTree(site.own, { "up.bin": BIG });
    expect(await site.run("put", "up.bin")).toMatchObject({ exitCode: 0 });
    const ready = site.server.events("answered").filter(({ state }) => state === "ready");
    expect(ready[0]?.["ranges"]).toEqual([[0, BIG.length]]);
    expect(ready[1]?.["ranges"]?.[0]?.[0]).toBeGreaterThan(0);
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each([
    [[], 8, "abc"],
    [["--skip-existing"], 0, "abc"],
    [["--overwrite"], 0, "other"],
    [["--rename"], 0, "abc"],
  ])("a file that is there already, with %j: exit %d", async (flags, exitCode, there) => {
    await using site = await PeerSite.open();
    writeTree(site.own, { "a.txt": "other" });
    expect(await site.run("put", "a.txt", "--to", "docs", ...flags)).toMatchObject({ exitCode });
    expect(await Bun.file(site.folder.join("repository/docs/a.txt")).text()).toBe(there);
    expect(await Bun.file(site.folder.join("repository/docs/a (2).txt")).exists()).toBe(flags[0] === "--rename");
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("the same file again is unchanged, and sent no more", async () => {
    await using site = await PeerSite.open();
    writeTree(site.own, { "up.bin": BIG });
    utimesSync(`${site.own}/up.bin`, 1_700_000_000, 1_700_000_000);
    for (const _ of [1, 2]) expect(await site.run("put", "up.bin")).toMatchObject({ exitCode: 0 });
    expect(site.server.events("block")).toHaveLength(3);
    expect(site.server.events("answered").at(-1)).toMatchObject({ outcome: "unchanged" });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("a read-only repository is exit 5", async () => {
    await using site = await PeerSite.open("--role", "read");
    writeTree(site.own, { "up.bin": BIG });
    expect(await site.run("put", "up.bin")).toMatchObject({ exitCode: 5 });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test.each([
    ["odd-range", 3],
    ["far-range", 3],
    ["empty-range", 3],
    ["unknown-state", 3],
    ["unknown-code", 3],
  ])("%s: exit %d, and the client keeps every rule", async (lie, exitCode) => {
    await using site = await PeerSite.open("--lie", lie);
    writeTree(site.own, { "up.bin": BIG });
    expect(await site.run("put", "up.bin")).toMatchObject({ exitCode });
    expect(await site.server.finish()).toEqual(KEPT);
  });

  test("a server that verifies no block, again and again, is exit 7", async () => {
    await using site = await PeerSite.open("--lie", "lost");
    writeTree(site.own, { "a.txt": "abc" });
    const run = site.run("put", "a.txt");
    await until(() => site.server.events("block").length > 100 || site.server.events("left").length > 0);
    expect(site.server.events("block").length).toBeLessThan(100);
    expect(await run).toMatchObject({ exitCode: 7 });
  });

  test("digest, rename and remove", async () => {
    await using site = await PeerSite.open();
    const sha256 = new Bun.CryptoHasher("sha256").update(BIG).digest("hex");
    expect((await site.run("digest", "big.bin")).stdout).toContain(sha256);
    expect(await site.run("get", "big.bin", "--digest")).toMatchObject({ exitCode: 0 });
    expect(await site.run("rename", "docs/a.txt", "b/c.txt")).toMatchObject({ exitCode: 0 });
    expect(await site.run("rename", "b/c.txt", "big.bin")).toMatchObject({ exitCode: 8 });
    expect(await site.run("remove", "b")).toMatchObject({ exitCode: 8 });
    expect(await site.run("remove", "b", "--recursive")).toMatchObject({ exitCode: 0 });
    expect(site.files(site.folder.join("repository"))).toEqual(["big.bin"]);
    expect(await site.server.finish()).toEqual(KEPT);
  });
});
