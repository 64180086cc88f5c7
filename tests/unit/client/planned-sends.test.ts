/** What a `put` would send of a tree, and what it says of the rest. */
import { describe, expect, test } from "bun:test";
import { planSend, type SendSource, type SendTree } from "../../../lib/client/send-plan.ts";
import { StorageError } from "../../../lib/errors.ts";
import type { LeftOut, StorageEntry } from "../../../lib/storage/storage.ts";

const entry = (path: string, kind: StorageEntry["kind"] = "file"): StorageEntry => ({
  path,
  kind,
  size: kind === "file" ? 3 : 0,
  modifiedAt: 7,
  executable: false,
  etag: path,
});

interface Listed {
  readonly entries?: readonly StorageEntry[];
  /** What the list itself leaves out, reported with each of its batches. */
  readonly leftOut?: readonly LeftOut[];
  /** The last of it is reported after the last batch. */
  readonly isLate?: boolean;
}

/** The folders above, without the root. */
function foldersOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join("/"));
}

/** A tree whose list gives these entries, each in a batch of its own. */
function treeOf({ entries = [], leftOut = [], isLate = false }: Listed): SendTree {
  const tree: Pick<SendTree, "stat" | "list"> = {
    stat: async (path) => entries.find((each) => each.path === path) ?? entry(path, "folder"),
    async *list(_, { enter, onLeftOut }) {
      if (!isLate) for (const left of leftOut) onLeftOut?.(left);
      // As every list, it has of a folder that is not entered nothing but itself.
      for (const each of entries) if (foldersOf(each.path).every((folder) => enter(folder))) yield [each];
      if (isLate) for (const left of leftOut) onLeftOut?.(left);
    },
  };
  return tree as SendTree;
}

/** Targets of what is planned, a folder's with a slash; what fails and what is left out is told by code and name. */
async function planned(
  source: Pick<SendSource, "kind"> & { name?: string; path?: string; pattern?: string },
  listed: Listed,
  { to = "", as, hidden = [] }: { to?: string; as?: string; hidden?: string[] } = {},
): Promise<string[]> {
  const told: string[] = [];
  plannedOf = {};
  const plan = planSend({
    sources: ["given"],
    here: {
      find: async () =>
        ({ name: "", path: "", pattern: "", ...source, open: async () => treeOf(listed) }) as SendSource,
      takeHidden: () => hidden.splice(0),
    },
    to,
    as,
    onPlanned: ({ to: target, isFound }) => Object.assign(plannedOf, { [target]: isFound === true }),
    onFailed: (name, { code, message }) => told.push(`${code} ${name}: ${message}`),
    onLeftOut: ({ path, code, why }) => told.push(`left ${code} ${path}: ${why}`),
  });
  for await (const items of plan) told.push(...items.map((item) => (item.kind === "folder" ? `${item.to}/` : item.to)));
  return told;
}

/** What the last plan has said will move, by its target: whether it was found, or named by a person. */
let plannedOf: Record<string, boolean> = {};

const OWN = "where CommServer keeps its own keys and records";

test("a file comes under its name, or another, with its facts; nothing else of its folder does", async () => {
  const entries = [entry("in/a"), entry("in/b")];
  const file = { kind: "file", name: "a", path: "in/a" } as const;
  expect(await planned(file, { entries }, { to: "x" })).toEqual(["x/a"]);
  expect(plannedOf).toEqual({ "x/a": false });
  expect(await planned(file, { entries }, { to: "x", as: "new/b" })).toEqual(["x/new/b"]);
});

test("sources that fail leave the others alone", async () => {
  const told: string[] = [];
  const plan = planSend({
    sources: ["gone", "a"],
    here: {
      async find(source) {
        if (source === "gone") throw new StorageError("NO_SUCH_FILE", "Nothing is there.");
        return { kind: "file", name: source, path: source, open: async () => treeOf({ entries: [entry("a")] }) };
      },
      takeHidden: () => [],
    },
    to: "",
    onPlanned: ({ from, to, size, modifiedAt }) => told.push(`${from} to ${to}: ${size} bytes of ${modifiedAt}`),
    onFailed: (source, { code }) => told.push(`${code} ${source}`),
    onLeftOut: () => {},
  });
  for await (const _ of plan);
  expect(told).toEqual(["NO_SUCH_FILE gone", "a to a: 3 bytes of 7"]);
});

describe("a folder", () => {
  const folder = { kind: "folder", name: "docs" } as const;

  test("comes with all that is in it, under its name or another", async () => {
    const entries = [entry("a"), entry("deep", "folder"), entry("deep/b")];
    expect(await planned(folder, { entries })).toEqual(["docs/", "docs/a", "docs/deep/", "docs/deep/b"]);
    // What was found may disappear; what a person has named may not.
    expect(plannedOf).toEqual({ docs: false, "docs/a": true, "docs/deep": true, "docs/deep/b": true });
    expect(await planned(folder, { entries }, { to: "x", as: "y/z" })).toContain("x/y/z/deep/b");
    expect(await planned({ ...folder, name: "" }, { entries })).toEqual(["a", "deep/", "deep/b"]);
  });

  test("of CommServer's own keys and records is named, and not sent", async () => {
    expect(await planned(folder, { entries: [entry("a")] }, { hidden: ["keys", "deep/keys"] })).toEqual([
      "docs/",
      "docs/a",
      `left OWN_STATE keys: ${OWN}`,
      `left OWN_STATE deep/keys: ${OWN}`,
    ]);
  });

  test.each([false, true])("says what its list leaves out (last: %p)", async (isLate) => {
    const leftOut: LeftOut[] = [
      { name: "shut", code: "UNREADABLE" },
      { name: "gone", code: "NOT_FOUND" },
      { name: "bad\ufffd", code: "BAD_PATH" },
    ];
    const told = await planned(folder, { entries: [entry("a")], leftOut, isLate });
    expect(told.filter((line) => !line.startsWith("docs/"))).toEqual([
      'DISK_DENIED shut: No permission to read "shut".',
      "left NO_SUCH_FILE gone: it has disappeared meanwhile",
      "left BAD_PATH bad\ufffd: its name can't be a path: it is not UTF-8",
    ]);
  });

  test("says so before what follows", async () => {
    const leftOut: LeftOut[] = [{ name: "gone", code: "NOT_FOUND" }];
    const told = await planned(folder, { entries: [entry("a"), entry("z")], leftOut });
    expect(told.map((line) => line.split(":")[0])).toEqual(["docs/", "docs/a", "left NO_SUCH_FILE gone", "docs/z"]);
  });

  test("that can't be read itself is called by a dot", async () => {
    const told = await planned(folder, { leftOut: [{ name: "", code: "UNREADABLE" }] });
    expect(told).toContain('DISK_DENIED : No permission to read ".".');
  });

  test("does not send what is neither a file nor a folder", async () => {
    const entries = [entry("link", "link"), entry("pipe", "other"), entry("a")];
    expect(await planned({ ...folder, name: "" }, { entries })).toEqual([
      "left NOT_ALLOWED link: a link, and not to a file in the folder that is sent",
      "left NOT_A_FILE pipe: neither a file nor a folder",
      "a",
    ]);
  });

  test("whose name no repository can have is refused, unless another is given", async () => {
    const bad = { ...folder, name: "a\u0000b" };
    expect(await planned(bad, {})).toEqual([expect.stringContaining("BAD_PATH given:")]);
    expect(await planned(bad, {}, { as: "ab" })).toEqual(["ab/"]);
  });
});

describe("a pattern", () => {
  const pattern = { kind: "pattern", pattern: "**/*.txt" } as const;

  test("speaks only of what it matches, and of what can't be read: that may hold matches", async () => {
    const leftOut: LeftOut[] = [
      { name: "gone.txt", code: "NOT_FOUND" },
      { name: "gone.md", code: "NOT_FOUND" },
      { name: "bad\ufffd.md", code: "BAD_PATH" },
      { name: "shut", code: "UNREADABLE" },
    ];
    const entries = [entry("a.txt"), entry("a.md"), entry("link.txt", "link"), entry("link.md", "link")];
    const told = await planned(pattern, { entries, leftOut }, { hidden: ["own.txt", "own.md"] });
    expect(told.sort()).toEqual([
      'DISK_DENIED shut: No permission to read "shut".',
      "a.txt",
      "left NOT_ALLOWED link.txt: a link, and not to a file in the folder that is sent",
      "left NO_SUCH_FILE gone.txt: it has disappeared meanwhile",
      `left OWN_STATE own.txt: ${OWN}`,
    ]);
  });

  test("that matches nothing has failed; not one whose matches were all left out, for that was said", async () => {
    const fault = 'NO_SUCH_FILE given: Nothing matches "given".';
    expect(await planned(pattern, { entries: [entry("a.md"), entry("deep", "folder")] })).toEqual([fault]);
    expect(await planned(pattern, {}, { hidden: ["own.md"] })).toEqual([fault]);
    expect(await planned(pattern, {}, { hidden: ["own.txt"] })).toEqual([`left OWN_STATE own.txt: ${OWN}`]);
    expect(await planned(pattern, { entries: [entry("a.txt")] }, { hidden: ["own.txt"] })).toHaveLength(2);
  });

  test("has folders only on the way to its files, each once, below the target", async () => {
    const entries = ["deep", "deep/more", "deep/more/a.txt", "deep/more/b.txt", "empty"].map((path) =>
      entry(path, path.endsWith(".txt") ? "file" : "folder"),
    );
    expect(await planned(pattern, { entries }, { to: "x" })).toEqual([
      "x/deep/",
      "x/deep/more/",
      "x/deep/more/a.txt",
      "x/deep/more/b.txt",
    ]);
  });

  test("takes no other name, for it may match many", async () => {
    expect(await planned(pattern, { entries: [entry("a.txt")] }, { as: "b" })).toEqual([
      'MALFORMED given: One name is given, and "given" is a pattern.',
    ]);
  });
});
