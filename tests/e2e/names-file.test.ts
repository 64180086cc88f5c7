/** Names from a file: get, put, remove and digest with --files-from. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { FolderSite } from "../support/folder-site.ts";
import { writeTree } from "../support/repository.ts";

const TREE = { "a.txt": "a", "docs/b.txt": "b", "docs/in/c.txt": "c", "docs/d [1].txt": "d", "docs/a.txt": "other" };
const found = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.length + 1))
    .sort();

describe.each(["get", "put"] as const)("%s --files-from", (method) => {
  async function open(): Promise<{ site: FolderSite; target: string }> {
    const site = await FolderSite.open();
    writeTree(method === "get" ? site.repository : site.here, TREE);
    return { site, target: method === "get" ? `${site.here}/out` : `${site.repository}/out` };
  }
  const place = method === "get" ? ["--output", "out/"] : ["--to", "out"];

  test("moves what the list names, with the folders above it", async () => {
    const { site, target } = await open();
    await using _ = site;
    writeFileSync(`${site.here}/list`, "./a.txt\r\ndocs/a.txt\n\ndocs/in\ndocs/d [1].txt");
    expect(await site.run(method, "--files-from", "list", ...place)).toMatchObject({ exitCode: 0 });
    expect(found(target)).toEqual(["a.txt", "docs/a.txt", "docs/d [1].txt", "docs/in/c.txt"]);
  });

  test("tells which names are not there, and moves the others, from standard input with NUL", async () => {
    const { site, target } = await open();
    await using _ = site;
    const { exitCode, stderr } = await site.feed("none\0docs/b.txt\0", method, "--files-from", "-", "-0", ...place);
    expect({ exitCode, stderr }).toEqual({ exitCode: 6, stderr: expect.stringContaining('"none"') });
    expect(found(target)).toEqual(["docs/b.txt"]);
  });

  test("takes no name for a pattern", async () => {
    const { site, target } = await open();
    await using _ = site;
    const { exitCode, stderr } = await site.feed("docs/*.txt\n**\n", method, "--files-from", "-", ...place);
    expect({ exitCode, stderr }).toEqual({ exitCode: 6, stderr: expect.stringContaining('"docs/*.txt"') });
    expect(existsSync(target) ? found(target) : []).toEqual([]);
  });

  test("does nothing for an empty list, and refuses names beside it", async () => {
    const { site, target } = await open();
    await using _ = site;
    writeFileSync(`${site.here}/list`, "\n");
    expect(await site.run(method, "--files-from", "list", ...place)).toMatchObject({ exitCode: 0, stdout: "" });
    for (const words of [["a.txt"], ["--as", "b"]])
      expect(await site.run(method, ...words, "--files-from", "list")).toMatchObject({ exitCode: 2 });
    expect(await site.run(method)).toMatchObject({ exitCode: 2 });
    expect(await site.run(method, "a.txt", "--null")).toMatchObject({ exitCode: 2 });
    expect(existsSync(target)).toBe(false);
  });
});

test("put --files-from refuses names that lead out of the current folder", async () => {
  await using site = await FolderSite.open();
  writeTree(site.here, { "a.txt": "a", "sub/b": "b" });
  writeFileSync(`${site.here}/list`, `${site.here}/a.txt\n../here/a.txt\nsub/../a.txt\n`);
  const { exitCode, stderr } = await site.run("put", "--files-from", "list");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: expect.stringContaining("is not below the current folder"),
  });
  expect(found(site.repository)).toEqual(["a.txt"]);
});

test("digest and remove --files-from take the names literally, in their order", async () => {
  await using site = await FolderSite.open();
  writeTree(site.repository, TREE);
  const line = (path: keyof typeof TREE) => `${createHash("sha256").update(TREE[path]).digest("hex")}  ${path}\n`;
  const digests = await site.feed("docs/d [1].txt\ndocs/b.txt\n./a.txt\n", "digest", "--files-from", "-");
  expect(digests.stdout).toBe(line("docs/d [1].txt") + line("docs/b.txt") + line("a.txt"));
  const missing = await site.feed("docs/*.txt\n", "digest", "--files-from", "-");
  expect(missing).toMatchObject({ exitCode: 6, stdout: "", stderr: expect.stringContaining('"docs/*.txt"') });
  expect(await site.feed("docs/*.txt\n", "remove", "--files-from", "-", "--yes")).toMatchObject({ exitCode: 6 });
  const removed = await site.feed("docs/d [1].txt\nnone\na.txt\n", "remove", "--files-from", "-");
  expect(removed).toMatchObject({ exitCode: 6, stdout: "Removed docs/d [1].txt\nRemoved a.txt\n" });
  expect(found(site.repository)).toEqual(["docs/a.txt", "docs/b.txt", "docs/in/c.txt"]);
});
