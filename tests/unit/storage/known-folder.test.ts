import { expect, test } from "bun:test";
import { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";

test("a known folder has the path of where it is, wherever it is moved with all below it", () => {
  const root = KnownFolder.root();
  const tree = root.addFolder("tree");
  const sub = tree.addFolder("sub");
  expect([root.path, tree.path, sub.path]).toEqual(["", "tree", "tree/sub"]);
  expect([sub.isLearnt, [...sub.folders]]).toEqual([false, []]);
  expect([root.pathOf("a"), sub.pathOf("a")]).toEqual(["a", "tree/sub/a"]);
  expect([root.addFolder("tree") === tree, [...root.folders].length]).toEqual([true, 1]);
  tree.detach();
  expect([tree.path, sub.path, sub.pathOf("a"), root.folder("tree")]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  // Into one that had no folder yet.
  const other = root.addFolder("other");
  other.adopt("moved", tree);
  expect([tree.name, tree.path, sub.path]).toEqual(["moved", "other/moved", "other/moved/sub"]);
  expect(other.folder("moved")).toBe(tree);
  // And into one that has.
  root.adopt("last", sub);
  expect([sub.path, [...root.folders].map(({ name }) => name)]).toEqual(["last", ["other", "last"]]);
});

test("a known folder that was replaced leaves its place to the other when it goes", () => {
  const root = KnownFolder.root();
  const [one, other] = [root.addFolder("one"), root.addFolder("other")];
  root.adopt("other", one);
  other.detach();
  expect(root.folder("other")).toBe(one);
  one.detach();
  expect(root.folder("other")).toBeUndefined();
});

test("a known folder knows the names of what else is in it until they are deleted, or all are forgotten", () => {
  const root = KnownFolder.root();
  expect([root.hasOther("a"), root.deleteOther("a")]).toEqual([false, false]);
  for (const name of ["a", "b", "c"]) root.addOther(name);
  expect(["a", "b", "c", "d"].map((name) => root.hasOther(name))).toEqual([true, true, true, false]);
  expect([root.deleteOther("a"), root.deleteOther("a"), root.hasOther("a"), root.hasOther("b")]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  root.clearOthers();
  expect(root.hasOther("b")).toBe(false);
});
