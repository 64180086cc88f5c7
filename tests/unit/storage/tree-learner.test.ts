import { afterEach, beforeEach, expect, test } from "bun:test";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { KnownFolder } from "../../../lib/storage/local/watch/known-folder.ts";
import { TreeLearner } from "../../../lib/storage/local/watch/tree-learner.ts";
import type { TreeSource } from "../../../lib/storage/local/watch/tree-source.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
  writeTree(folder.path, { "a/b/c/file": "", "d/file": "", file: "" });
});

afterEach(() => folder[Symbol.dispose]());

/** A learner of the folder, and what it watches. */
function site(onWatch: (learner: TreeLearner) => void = () => {}, answer = true) {
  const watched: string[] = [];
  const source: Partial<TreeSource> = {
    watch({ path = "?" }: KnownFolder) {
      watched.push(path);
      onWatch(learner);
      return answer;
    },
    unwatch: ({ path = "?" }: KnownFolder) => void watched.splice(watched.indexOf(path), 1),
    isSame: () => true,
  };
  const learner = new TreeLearner(new Folders(folder.path, { owner: "server" }), source as TreeSource);
  return { learner, watched };
}

test("a tree is read and watched with everything below it, and let go of", async () => {
  const { learner, watched } = site();
  const root = KnownFolder.root();
  expect(await learner.learnRoot(root)).toBe(true);
  expect(watched.toSorted()).toEqual(["", "a", "a/b", "a/b/c", "d"]);
  await learner.unwatch(root);
  expect(watched).toEqual([]);
});

test("nothing more is read after a stop", async () => {
  for (const most of [1, 2, 3]) {
    const { learner, watched } = site((it) => {
      if (watched.length === most) it.stop();
    });
    await learner.learnRoot(KnownFolder.root());
    expect(watched).toHaveLength(most);
  }
});

test("a folder that can't be watched makes the whole incomplete", async () => {
  expect(await site(() => {}, false).learner.learnRoot(KnownFolder.root())).toBe(false);
});
