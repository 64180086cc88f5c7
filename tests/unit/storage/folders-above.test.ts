import { expect, test } from "bun:test";
import { FoldersAbove } from "../../../lib/folders-above.ts";

/** What is told of a walk in which `wanted` is wanted: folders end with a slash. */
function told(walk: readonly string[], wanted: (path: string) => boolean): string[] {
  const above = new FoldersAbove<{ path: string }>();
  const all: string[] = [];
  for (const name of walk) {
    const path = name.replace(/\/$/, "");
    if (wanted(path)) all.push(...above.take(path).map((folder) => `${folder.path}/`), path);
    else if (name.endsWith("/")) above.enter({ path });
  }
  return all;
}

const WALK = ["a/", "a/1", "a/b/", "a/b/2", "a/b/3", "a/c/", "a/c/4", "ab/", "ab/5", "d/", "d/e/", "d/e/f/", "d/e/6"];

test("folders on the way are reported once, each before what is in it, and no others", () => {
  expect(told(WALK, (path) => /\d$/.test(path))).toEqual([
    "a/",
    "a/1",
    "a/b/",
    "a/b/2",
    "a/b/3",
    "a/c/",
    "a/c/4",
    "ab/",
    "ab/5",
    "d/",
    "d/e/",
    "d/e/6",
  ]);
  expect(told(WALK, (path) => path.endsWith("3"))).toEqual(["a/", "a/b/", "a/b/3"]);
  expect(told(WALK, (path) => /[36]$/.test(path))).toEqual(["a/", "a/b/", "a/b/3", "d/", "d/e/", "d/e/6"]);
  expect(told(WALK, () => false)).toEqual([]);
});

test("a wanted folder is reported itself, after those above it", () => {
  expect(told(WALK, (path) => path === "d/e" || path === "d/e/6")).toEqual(["d/", "d/e", "d/e/6"]);
});
