/** The capability `names`, between a Python peer from PROTOCOL.md alone and the compiled programs. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { describeInterop, KEPT, PeerServer } from "./peer.ts";
import { buildFirst, CompiledSite, PROVEN, PythonSite, startCompiled } from "./site.ts";

const NAMES = ["--capability", "names"];
const TREE = { "a\\b": "1", "x:y": "2", "d/p\\q": "3", "d/T: 5.txt": "4", plain: "5" };
const PLAIN = ["d", "d/T: 5.txt", "plain"];
const ALL = [...PLAIN, "a\\b", "d/p\\q", "x:y"].sort();

buildFirst();

describeInterop("a Python client and the compiled server", () => {
  test.each([
    ["are listed to who has named it, and taken in patterns", NAMES, ALL, ["a\\b"]],
    ["are left out for who has not, and are no paths", [], PLAIN, undefined],
  ])("names with backslashes, or as a drive's, %s", async (_, flags, paths, matched) => {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), TREE);
    await using site = new CompiledSite(folder, await startCompiled(folder.join("repository"), ["--writable"]));
    const { events, ...rest } = await site.run(flags, ["list", "list 'a\\*'", "stat 'x:y'"]);
    expect(rest).toEqual(KEPT);
    const [all, pattern, stat] = events.filter(({ event }) => event !== "welcome");
    expect(all?.["entries"].map(({ path }: { path: string }) => path).sort()).toEqual(paths);
    if (matched === undefined) expect([pattern, stat]).toMatchObject([{ code: 35 }, { code: 35 }]);
    else {
      expect(pattern?.["entries"].map(({ path }: { path: string }) => path)).toEqual(matched);
      expect(stat).toMatchObject({ path: "x:y", kind: "file" });
    }
  });
});

describeInterop("the compiled client and a Python server", () => {
  async function open(...flags: string[]): Promise<PythonSite> {
    const folder = new TempFolder();
    writeTree(folder.join("repository"), TREE);
    writeTree(folder.join("t"), { "e\\f": "6", "c:": "7" });
    return new PythonSite(folder, await PeerServer.start(folder.join("repository"), ...PROVEN, ...flags));
  }

  test("fetches and sends such names where the server names it", async () => {
    await using site = await open(...NAMES);
    expect(await site.run("get", "a\\b", "x:y", "d")).toMatchObject({ exitCode: 0 });
    for (const path of ["a\\b", "x:y", "d/p\\q"] as const)
      expect(readFileSync(site.folder.join(path), "utf8")).toBe(TREE[path]);
    expect(await site.run("put", "t")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(site.folder.join("repository/t/e\\f"), "utf8")).toBe("6");
    expect(readFileSync(site.folder.join("repository/t/c:"), "utf8")).toBe("7");
  });

  test("hears where it does not that these are none, one by one, and the others arrive", async () => {
    await using site = await open();
    const got = await site.run("get", "a\\b", "x:y", "plain");
    expect(got).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("Fetched plain") });
    const put = await site.run("put", "t", "--json");
    expect(put).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining('"stored":1,"unchanged":0,"skipped":0,"failed":1'),
    });
  });
});
