import { describe, expect, test } from "bun:test";
import { Filter, type FilterRules } from "../../../lib/client/filter.ts";

const filter = (rules: Partial<FilterRules>) => new Filter({ lines: [], exclude: [], include: [], ...rules });

const PATHS = [
  "a.txt",
  "b.tmp",
  "docs/",
  "docs/c.pdf",
  "docs/d.tmp",
  "docs/old/",
  "docs/old/e.txt",
  "out/",
  "out/docs/",
];

/** Those of PATHS that pass; a folder's ends with a slash. */
function taken(rules: Partial<FilterRules>, paths = PATHS): string[] {
  const it = filter(rules);
  return paths.filter((path) => {
    const isFolder = path.endsWith("/");
    const kind = isFolder ? "folder" : "file";
    return it.takes({ path: isFolder ? path.slice(0, -1) : path, kind, size: 10, modifiedAt: 100 });
  });
}

const without = (...paths: string[]) => PATHS.filter((path) => !paths.includes(path));

describe("patterns", () => {
  test.each([
    ["*.tmp", without("b.tmp", "docs/d.tmp")],
    ["/*.tmp", without("b.tmp")],
    ["docs/*.tmp", without("docs/d.tmp")],
    ["docs/", without("docs/", "docs/c.pdf", "docs/d.tmp", "docs/old/", "docs/old/e.txt", "out/docs/")],
    ["/docs", without("docs/", "docs/c.pdf", "docs/d.tmp", "docs/old/", "docs/old/e.txt")],
    ["**/old/**", without("docs/old/e.txt")],
    ["a.txt/", PATHS],
    ["A.TXT", PATHS],
    ["# a comment", PATHS],
  ])("exclude %j", (pattern, expected) => {
    expect(taken({ exclude: [pattern] })).toEqual(expected);
    expect(taken({ lines: [pattern, ""] })).toEqual(expected);
  });

  test("the last one that matches decides; what an excluded folder holds can't be taken", () => {
    expect(taken({ exclude: ["*.tmp", "!d.tmp"] })).toEqual(without("b.tmp"));
    expect(taken({ exclude: ["*.tmp"], include: ["d.tmp"] })).toEqual(without("b.tmp"));
    expect(taken({ lines: ["!b.tmp"], exclude: ["*.tmp"] })).toEqual(without("b.tmp", "docs/d.tmp"));
    expect(taken({ exclude: ["old/"], include: ["e.txt"] })).toEqual(without("docs/old/", "docs/old/e.txt"));
  });

  test("include alone takes nothing else", () => {
    const folders = PATHS.filter((path) => path.endsWith("/"));
    expect(taken({ include: ["*.pdf"] })).toEqual(
      PATHS.filter((path) => folders.includes(path) || path === "docs/c.pdf"),
    );
    expect(filter({ include: ["*.pdf"] }).takesEmptyFolders).toBe(false);
    const files = ["x", "docs/a", "docs/b/c", "out/docs/d", "out/e"];
    expect(taken({ include: ["docs/"] }, files)).toEqual(["docs/a", "docs/b/c", "out/docs/d"]);
    expect(taken({ include: ["/docs"] }, files)).toEqual(["docs/a", "docs/b/c"]);
    expect(taken({ include: ["docs/b"] }, files)).toEqual(["docs/b/c"]);
  });

  test("those that no path has matched are known", () => {
    const it = filter({ exclude: ["*.tmp", "none"], include: ["keep.tmp", "never"], lines: ["unused"] });
    expect(it.unmatched).toEqual(["*.tmp", "none", "keep.tmp", "never"]);
    for (const path of ["a.tmp", "docs/keep.tmp"]) it.takes({ path, kind: "file", size: 0, modifiedAt: 0 });
    expect(it.unmatched).toEqual(["none", "never"]);
  });

  test("go on in bounded memory over any number of paths", () => {
    const it = filter({ exclude: ["*7"], include: ["17"] });
    const paths = Array.from({ length: 25_000 }, (_, index) => `f/${index}`);
    const kept = paths.filter((path) => it.takes({ path, kind: "file", size: 0, modifiedAt: 0 }));
    expect(kept).toEqual(paths.filter((path) => !path.endsWith("7") || path === "f/17"));
  });
});

describe("size and time", () => {
  const takes = (rules: Partial<FilterRules>, kind = "file") =>
    filter(rules).takes({ path: "a", kind, size: 10, modifiedAt: 100 });

  test("concern files, up to and from the bound on", () => {
    expect([takes({ maxBytes: 10 }), takes({ maxBytes: 9 }), takes({ maxBytes: 0 }, "folder")]).toEqual([
      true,
      false,
      true,
    ]);
    expect([takes({ changedSince: 100 }), takes({ changedSince: 101 })]).toEqual([true, false]);
    expect(takes({ changedSince: 101 }, "folder")).toBe(true);
  });

  test("leave no empty folders", () => {
    const takesEmptyFolders = (rules: Partial<FilterRules>) => filter(rules).takesEmptyFolders;
    expect([{ maxBytes: 9 }, { changedSince: 1 }, { exclude: ["a"] }, {}].map(takesEmptyFolders)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

test("what can't be taken is excluded as a folder or as a file; the whole tree never", () => {
  const it = filter({ exclude: ["secret/", "*.tmp"] });
  expect(["secret", "a/secret/b", "x.tmp", "other", ""].map((path) => it.excludes(path))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
