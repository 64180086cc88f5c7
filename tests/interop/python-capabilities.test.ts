/** The capabilities `digests` and `holes`, between a Python peer from PROTOCOL.md alone and the compiled programs. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeTree } from "../support/repository.ts";
import { keptBytes, makeSparse, noHoles } from "../support/sparse.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, noise, type PeerEvent, PeerServer } from "./peer.ts";
import { buildFirst, CompiledSite, PROVEN, PythonSite, startCompiled } from "./site.ts";

const BLOCK = 1_048_576;
const BIG = noise(2_306_867);
const BOTH = ["--capability", "digests", "--capability", "holes"];
/** A block of bytes between two holes, and a short end that is one, too. */
const SPARSE = { size: 6 * BLOCK + 5, data: { [2 * BLOCK]: noise(BLOCK) } };
const HOLES = [
  [0, 2 * BLOCK],
  [3 * BLOCK, SPARSE.size],
];
const digest = (content: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(content).digest("hex");
const only = (events: PeerEvent[], ...kinds: string[]) => events.filter(({ event }) => kinds.includes(event));
const sparseTest = test.skipIf(noHoles !== undefined);

buildFirst();

describeInterop("a Python client and the compiled server", () => {
  async function open(): Promise<CompiledSite> {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), { "a.txt": "abc", "big.bin": BIG, empty: "" });
    makeSparse(folder.join("repository/sparse.img"), SPARSE.size, SPARSE.data);
    makeSparse(folder.join("own.img"), SPARSE.size, SPARSE.data);
    return new CompiledSite(folder, await startCompiled(folder.join("repository"), ["--writable"]));
  }

  const ask = (...requests: object[]) => `ask ${requests.map((one) => `'${JSON.stringify(one)}'`).join(" ")}`;

  test("name what both know, and nothing else is named", async () => {
    await using site = await open();
    const named = async (...flags: string[]) =>
      only((await site.run(flags, [])).events, "welcome").map(({ capabilities }) => capabilities.toSorted());
    expect(await named(...BOTH, "--capability", "later")).toEqual([["digests", "holes"]]);
    expect(await named()).toEqual([[]]);
  });

  test("tell digests with the facts, with all of a file, a part, or nothing of it", async () => {
    await using site = await open();
    const wanted = [
      { path: "a.txt", length: 0, digest: true },
      { path: "big.bin", digest: true },
      { path: "big.bin", offset: BLOCK, length: 5, digest: true },
      { path: "empty", digest: true },
      { path: "missing", digest: true },
      { path: "a.txt", digest: false },
    ];
    const { events, ...rest } = await site.run(BOTH, [ask(...wanted)]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "got", "failed")).toMatchObject([
      { path: "a.txt", bytes: 0, told: digest("abc") },
      { path: "big.bin", bytes: BIG.length, told: digest(BIG), sha256: digest(BIG) },
      { path: "big.bin", bytes: 5, told: digest(BIG) },
      { path: "empty", bytes: 0, told: digest("") },
      { path: "missing", code: 34 },
      { path: "a.txt", bytes: 3, told: null },
    ]);
  });

  test("are sent only to a client that named the capability, even if it asks", async () => {
    await using site = await open();
    const wanted = [
      { path: "a.txt", digest: true },
      { path: "sparse.img", holes: true },
    ];
    const { events, ...rest } = await site.run([], [ask(...wanted)]);
    expect(rest).toEqual(KEPT);
    const sparse = digest(readFileSync(site.folder.join("repository/sparse.img")));
    expect(only(events, "got")).toMatchObject([{ told: null }, { bytes: SPARSE.size, sha256: sparse }]);
    expect(only(events, "got").some((got) => "holes" in got)).toBe(false);
  });

  sparseTest("send no holes of a file to who asks for that, and no others are told", async () => {
    await using site = await open();
    const wanted = [
      { path: "sparse.img", holes: true, digest: true },
      { path: "sparse.img", holes: true, offset: 2 * BLOCK, length: 2 * BLOCK },
      { path: "sparse.img" },
      { path: "a.txt", holes: true },
    ];
    const { events, ...rest } = await site.run(
      BOTH,
      wanted.map((one) => ask(one)),
    );
    expect(rest).toEqual(KEPT);
    const bytes = readFileSync(site.folder.join("repository/sparse.img"));
    const [whole, part, plain, small] = only(events, "got");
    expect(whole).toMatchObject({ bytes: SPARSE.size, holes: HOLES, sha256: digest(bytes), told: digest(bytes) });
    expect(part).toMatchObject({ holes: HOLES, sha256: digest(bytes.subarray(2 * BLOCK, 4 * BLOCK)) });
    expect(plain).toMatchObject({ sha256: digest(bytes) });
    expect([plain, small].some((got) => got !== undefined && (got["holes"] ?? []).length > 0)).toBe(false);
    const sizes = only(events, "ended").map(({ body }) => Math.floor(body / BLOCK));
    expect(sizes).toEqual([1, 1, 6, 0]);
  });

  sparseTest("take a put whose holes are told: they are holes there, too", async () => {
    await using site = await open();
    const { events, ...rest } = await site.run(BOTH, ["put fail new.img own.img"]);
    expect(rest).toEqual(KEPT);
    expect(only(events, "ready", "done")).toMatchObject([{ ranges: [[2 * BLOCK, 3 * BLOCK]] }, { outcome: "stored" }]);
    const stored = site.folder.join("repository/new.img");
    expect(digest(readFileSync(stored))).toBe(digest(readFileSync(site.folder.join("own.img"))));
    expect(keptBytes(stored)).toBeLessThan(2 * BLOCK);
  });
});

describeInterop("the compiled client and a Python server", () => {
  async function open(...flags: string[]): Promise<PythonSite> {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), { "docs/a.txt": "abc", "docs/b.txt": "b", "big.bin": BIG });
    makeSparse(folder.join("repository/sparse.img"), SPARSE.size, SPARSE.data);
    makeSparse(folder.join("own.img"), SPARSE.size, SPARSE.data);
    return new PythonSite(folder, await PeerServer.start(folder.join("repository"), ...PROVEN, ...flags));
  }

  const asked = ({ server }: PythonSite) => server.events("asked");

  test.each([
    ["in one stream where the server names it", BOTH, 1, [{ path: "docs/a.txt", length: 0, digest: true }]],
    ["by calls where it does not", [], 0, []],
  ])("digests of several files are had %s", async (_, flags, gets, requests) => {
    await using site = await open(...flags);
    const { exitCode, stdout } = await site.run("digest", "docs/a.txt", "docs/b.txt", "--json");
    expect([exitCode, stdout.includes(digest("abc")), stdout.includes(digest("b"))]).toEqual([0, true, true]);
    expect(asked(site)).toMatchObject(
      requests.length === 0 ? [] : (expect.arrayContaining([expect.objectContaining(requests[0] as object)]) as never),
    );
    expect(site.server.events("request").filter(({ method }) => method === "get")).toHaveLength(gets);
  });

  sparseTest("holes come as such where the server tells them", async () => {
    await using site = await open(...BOTH);
    expect(await site.run("get", "sparse.img", "big.bin")).toMatchObject({ exitCode: 0 });
    expect(asked(site).find(({ path }) => path === "sparse.img")).toMatchObject({ holes: true });
    const got = site.folder.join("sparse.img");
    expect(digest(readFileSync(got))).toBe(digest(readFileSync(site.folder.join("repository/sparse.img"))));
    expect(keptBytes(got)).toBeLessThan(2 * BLOCK);
    expect(digest(readFileSync(site.folder.join("big.bin")))).toBe(digest(BIG));
  });

  sparseTest.each([
    ["told where the server names them", BOTH, HOLES, 1],
    ["sent as zeros where it does not", [], undefined, 7],
  ])("holes of what is put are %s", async (_, flags, holes, blocks) => {
    await using site = await open(...flags);
    expect(await site.run("put", "own.img")).toMatchObject({ exitCode: 0 });
    expect(site.server.events("offered")).toMatchObject([{ path: "own.img", ...(holes && { holes }) }]);
    expect("holes" in (site.server.events("offered")[0] ?? {})).toBe(holes !== undefined);
    expect(site.server.events("block")).toHaveLength(blocks);
    const stored = readFileSync(site.folder.join("repository/own.img"));
    expect(digest(stored)).toBe(digest(readFileSync(site.folder.join("own.img"))));
  });
});
