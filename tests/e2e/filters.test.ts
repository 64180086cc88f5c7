/** Filters of get, put and list, as a person types them. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { FolderSite } from "../support/folder-site.ts";
import { writeTree } from "../support/repository.ts";

const TREE = {
  "t/a.txt": "a",
  "t/b.tmp": "b",
  "t/build/c.o": "c",
  "t/docs/d.pdf": "d",
  "t/docs/e.tmp": "e",
  "t/docs/large.bin": "x".repeat(5_000),
};

/** All files and folders below a folder. */
const found = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();

describe.each(["get", "put"] as const)("%s", (method) => {
  async function open(): Promise<FolderSite> {
    const site = await FolderSite.open();
    writeTree(method === "get" ? site.repository : site.here, TREE);
    return site;
  }

  const target = (site: FolderSite) => (method === "get" ? `${site.here}/t` : `${site.repository}/t`);

  test("leaves out what --exclude matches, which may be given several times", async () => {
    await using site = await open();
    const result = await site.run(method, "t", "--exclude", "*.tmp", "--exclude", "/build/");
    expect(result).toMatchObject({ exitCode: 0 });
    expect(found(target(site))).toEqual(["a.txt", "docs", "docs/d.pdf", "docs/large.bin"]);
  });

  test("takes only what --include matches, without empty folders", async () => {
    await using site = await open();
    expect(await site.run(method, "t", "--include", "*.pdf")).toMatchObject({ exitCode: 0 });
    expect(found(target(site))).toEqual(["docs", "docs/d.pdf"]);
  });

  test("takes what --include matches among what is excluded", async () => {
    await using site = await open();
    await site.run(method, "t", "--exclude", "*.tmp", "--include", "e.tmp", "--exclude", "build");
    expect(found(target(site))).toEqual(["a.txt", "docs", "docs/d.pdf", "docs/e.tmp", "docs/large.bin"]);
  });

  test("reads patterns from files, with comments and empty lines", async () => {
    await using site = await open();
    writeFileSync(`${site.here}/ignore`, "# made by the compiler\r\n/build/\n\n*.tmp\n!e.tmp\n");
    expect(await site.run(method, "t", "--exclude-from", "ignore")).toMatchObject({ exitCode: 0 });
    expect(found(target(site))).toEqual(["a.txt", "docs", "docs/d.pdf", "docs/e.tmp", "docs/large.bin"]);
    expect(await site.run(method, "t", "--exclude-from", "none")).toMatchObject({ exitCode: 6 });
  });

  test("leaves out large and old files", async () => {
    await using site = await open();
    const source = method === "get" ? site.repository : site.here;
    utimesSync(`${source}/t/a.txt`, new Date("2020-01-01"), new Date("2020-01-01"));
    await site.run(method, "t", "--max-size", "1K", "--newer", "2021-01-01", "--exclude", "build");
    expect(found(target(site))).toEqual(["b.tmp", "docs", "docs/d.pdf", "docs/e.tmp"]);
  });

  test("says which pattern has matched nothing, and that nothing is left", async () => {
    await using site = await open();
    const { exitCode, stderr } = await site.run(method, "t", "--exclude", "*.none", "--include", "*.pdf", "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const people = await site.run(method, "t/docs", "--exclude", "*", "--exclude", "*.odt");
    expect(people).toMatchObject({ exitCode: 0, stdout: "" });
    expect(people.stderr).toContain('Nothing matches the filter "*.odt".\n');
    expect(people.stderr).toContain("No file passes the filters.\n");
  });

  test("refuses a size or a time that it can't read", async () => {
    await using site = await open();
    expect(await site.run(method, "t", "--max-size", "big")).toMatchObject({ exitCode: 2 });
    expect((await site.run(method, "t", "--newer", "yesterday")).stderr).toContain("--newer takes a period");
    expect(existsSync(target(site))).toBe(false);
  });
});

test("get to standard output leaves out what is excluded", async () => {
  await using site = await FolderSite.open();
  writeTree(site.repository, { "t/a": "1", "t/b": "2", "t/c": "3" });
  const all = (...words: string[]) => site.run("get", "t/*", ...words, "--output", "-");
  expect(await all("--exclude", "b")).toMatchObject({ exitCode: 0, stdout: "13" });
  const none = await all("--exclude", "*", "--exclude", "*.odt");
  expect(none).toMatchObject({ exitCode: 0, stdout: "" });
  expect(none.stderr).toContain('Nothing matches the filter "*.odt".\nNo file passes the filters.\n');
});

test("list shows what passes, below the folder that is listed", async () => {
  await using site = await FolderSite.open();
  writeTree(site.repository, TREE);
  const paths = async (...words: string[]) => {
    const { stdout } = await site.run("list", ...words, "--json");
    return (JSON.parse(stdout) as { path: string }[]).map(({ path }) => path);
  };
  expect(await paths("t", "--exclude", "/build", "--exclude", "*.tmp")).toEqual([
    "t/a.txt",
    "t/docs",
    "t/docs/d.pdf",
    "t/docs/large.bin",
  ]);
  expect(await paths("--include", "*.pdf")).toEqual(["t/docs/d.pdf"]);
  expect(await paths("t/docs/*", "--exclude", "/d.pdf")).toEqual(["t/docs/e.tmp", "t/docs/large.bin"]);
  expect(await paths("t/docs/d.pdf", "--exclude", "*.pdf")).toEqual([]);
  const none = await site.run("list", "t", "--max-size", "0");
  expect(none).toMatchObject({ exitCode: 0, stdout: "", stderr: "Nothing in it passes the filters.\n" });
});

test("a file of settings may have filters, several at once", async () => {
  await using site = await FolderSite.open();
  writeTree(site.repository, TREE);
  writeFileSync(`${site.here}/my.toml`, 'exclude = ["*.tmp", "/build"]\n');
  expect(await site.run("get", "t", "--config", "my.toml")).toMatchObject({ exitCode: 0 });
  expect(found(`${site.here}/t`)).toEqual(["a.txt", "docs", "docs/d.pdf", "docs/large.bin"]);
});
