import { describe, expect, test } from "bun:test";
import { type JoinOptions, joinFolders, type Pair } from "../../../lib/client/sync/folder-join.ts";
import type { Entry } from "../../../lib/protocol/methods.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";

/** Entries by their paths; folders end with a slash. */
const entries = (...paths: string[]): Entry[] =>
  paths.map((path) => ({
    path: path.replace(/\/$/, ""),
    kind: path.endsWith("/") ? "folder" : "file",
    size: 0,
    modifiedAt: 0,
    mode: undefined,
  }));

async function pairs(there: string[], here: string[], options: Partial<JoinOptions> = {}): Promise<Pair[]> {
  const storage = new MemoryStorage();
  for (const path of here) {
    if (path.endsWith("/")) await storage.makeFolder(path.slice(0, -1));
    else storage.set(path, new Uint8Array(0));
  }
  async function* list() {
    yield entries(...there);
  }
  const found: Pair[] = [];
  const all = { there: list(), root: "", paths: "any", here: storage, isSending: true, digest64 } as const;
  for await (const batch of joinFolders({ ...all, enter: () => true, onLeftOut() {}, ...options }))
    found.push(...batch);
  return found;
}

/** `a =` on both sides, `a <` here alone, `a >` there alone; `~` marks what is alike. */
const shown = (found: readonly Pair[]) =>
  found.map(({ path, here, there, isAlike }) => {
    const side = here === undefined ? ">" : there === undefined ? "<" : "=";
    return `${path} ${side}${isAlike ? "~" : ""}`;
  });

describe("both sides of a mirror", () => {
  test("come path by path, whatever the order of the server's list", async () => {
    const here = ["a", "b/c", "b/d", "e/f/g"];
    const there = [
      ["a", "b/", "b/c", "b/x", "y/", "y/z"],
      ["y/", "y/z", "b/", "b/x", "b/c", "a"],
    ];
    for (const list of there) {
      expect(shown(await pairs(list, here)).sort()).toEqual(
        ["a =", "b =", "b/c =", "b/d <", "b/x >", "e <", "e/f <", "e/f/g <", "y >", "y/z >"].sort(),
      );
    }
  });

  test("come with a folder directly before what is in it", async () => {
    const found = shown(await pairs(["b/", "b/x", "c"], ["a/d", "b/c", "b/e/f"]));
    expect(found.indexOf("b/e/f <")).toBe(found.indexOf("b/e <") + 1);
    expect(found.indexOf("a/d <")).toBe(found.indexOf("a <") + 1);
    expect(found.slice(0, 2)).toEqual(["b =", "b/x >"]);
  });

  test("have the contents of a folder that is a file on the other side", async () => {
    expect(shown(await pairs(["a", "b/", "b/c"], ["a/x", "b"])).sort()).toEqual(["a =", "a/x <", "b =", "b/c >"]);
  });

  test("say which names some disks take for the same", async () => {
    expect(shown(await pairs(["Read.me", "x"], ["README", "read.me"])).sort()).toEqual([
      "README <",
      "Read.me >~",
      "read.me <~",
      "x >",
    ]);
    expect(shown(await pairs(["A", "a"], ["A", "a"]))).toEqual(["A =", "a ="]);
  });

  test("say which names of this machine some disks take for each other", async () => {
    const twins = async (there: string[], here: string[], isSending = true) =>
      (await pairs(there, here, { isSending })).filter(({ twin }) => twin).map(({ path, twin }) => `${path} ${twin}`);
    const here = ["A", "a", "in/B", "in/b/c", "in/other", "\u00e9", "e\u0301"];
    expect((await twins([], here)).sort()).toEqual(["a before", "in/b before", "\u00e9 before"]);
    expect((await twins(["a"], here)).sort()).toEqual(["A listed", "in/b before", "\u00e9 before"]);
    expect((await twins(["in/", "in/b/"], here)).sort()).toEqual(["a before", "in/B listed", "\u00e9 before"]);
    expect(await twins(["A", "a", "\u00e9", "e\u0301", "in/", "in/B", "in/b/"], here)).toEqual([]);
    expect(await twins([], here, false)).toEqual([]);
  });

  test("are not read here where nobody wants that", async () => {
    const found = await pairs(["b/", "b/x"], ["a/d", "b/c"], { enter: () => false });
    expect(shown(found)).toEqual(["b =", "b/x >", "a <"]);
  });

  test("are below the mirrored folder", async () => {
    expect(shown(await pairs(["top/in/", "top/in/a", "top/b"], ["in/a"], { root: "top" }))).toEqual([
      "in =",
      "in/a =",
      "b >",
    ]);
  });
});

test.each([
  [["b/c", "b/"], "after its folder was left"],
  [["a/", "b", "a/c"], "of a folder that was left"],
  [["../a"], "with .. in its path"],
  [["/etc/passwd"], "with an absolute path"],
])("an entry %j is refused: %s", async (list) => {
  await expect(pairs(list, [])).rejects.toMatchObject({ code: "BAD_PAYLOAD" });
});

test("an entry outside of the mirrored folder is refused", async () => {
  await expect(pairs(["other/a"], [], { root: "top" })).rejects.toMatchObject({ code: "BAD_PAYLOAD" });
});
