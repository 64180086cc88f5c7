/** get and put with --move: the source goes after its arrival, and never the only copy. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { FolderSite } from "../support/folder-site.ts";
import { writeTree } from "../support/repository.ts";

const TREE = { "t/a.txt": "a", "t/docs/b.txt": "bb", "t/docs/c.tmp": "c" };
const found = (folder: string) => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
const ALL = ["t", "t/a.txt", "t/docs", "t/docs/b.txt", "t/docs/c.tmp"];

describe.each(["get", "put"] as const)("%s --move", (method) => {
  async function open(): Promise<{ site: FolderSite; source: string; target: string }> {
    const site = await FolderSite.open();
    const [source, target] = method === "get" ? [site.repository, site.here] : [site.here, site.repository];
    writeTree(source, TREE);
    return { site, source, target };
  }

  test("removes a folder when all in it has arrived", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    expect(await site.run(method, "t", "--move")).toMatchObject({ exitCode: 0 });
    expect([found(source), found(target)]).toEqual([[], ALL]);
  });

  test("leaves what is left out, and the folders around it", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    const { exitCode, stdout } = await site.run(method, "t", "--move", "--exclude", "*.tmp", "--json");
    expect(exitCode).toBe(0);
    expect(found(source)).toEqual(["t", "t/docs", "t/docs/c.tmp"]);
    expect(found(target)).toEqual(ALL.filter((path) => path !== "t/docs/c.tmp"));
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.filter(({ event }) => event === "removed")).toHaveLength(2);
  });

  test("finishes a run that ended between arrival and removal, after it has compared both ends", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    expect(await site.run(method, "t")).toMatchObject({ exitCode: 0 });
    expect(await site.run(method, "t", "--move")).toMatchObject({ exitCode: 0 });
    expect([found(source), found(target)]).toEqual([[], ALL]);
  });

  test("keeps a source whose target only seems to be the same", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    await site.run(method, "t");
    // Another content, with the size and the time of the source.
    const time = new Date(1_600_000_000_000);
    for (const [folder, content] of [
      [source, "x"],
      [target, "y"],
    ] as const) {
      writeFileSync(`${folder}/t/a.txt`, content);
      utimesSync(`${folder}/t/a.txt`, time, time);
    }
    const { exitCode, stderr } = await site.run(method, "t", "--move");
    expect({ exitCode, stderr }).toEqual({ exitCode: 7, stderr: expect.stringContaining("has another SHA-256") });
    expect(found(source)).toEqual(["t", "t/a.txt"]);
  });

  test("keeps what exists at the target, and what is skipped there", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    writeTree(target, { "t/a.txt": "another" });
    expect(await site.run(method, "t", "--move")).toMatchObject({ exitCode: 8 });
    expect(await site.run(method, "t", "--move", "--skip-existing")).toMatchObject({ exitCode: 0 });
    expect(found(source)).toEqual(["t", "t/a.txt"]);
    expect(readFileSync(`${target}/t/a.txt`, "utf8")).toBe("another");
  });
});

describe("--move never removes the only copy", () => {
  test.each(["get", "put"])("when %s runs in the repository itself", async (method) => {
    await using site = await FolderSite.open();
    writeTree(site.repository, { "t/a.txt": "a" });
    symlinkSync(`${site.repository}/t`, `${site.here}/t`);
    const words = method === "get" ? ["t/a.txt", "--output", "t/"] : ["t/a.txt", "--to", "t"];
    const { exitCode, stderr } = await site.run(method, ...words, "--move");
    expect({ exitCode, stderr }).toEqual({ exitCode: 8, stderr: expect.stringContaining("it stays") });
    expect(readFileSync(`${site.repository}/t/a.txt`, "utf8")).toBe("a");
  });

  test("of a file that was named by a link", async () => {
    await using site = await FolderSite.open();
    writeTree(site.here, { "real.txt": "a" });
    symlinkSync("real.txt", `${site.here}/link`);
    const { exitCode, stderr } = await site.run("put", "link", "--move");
    expect({ exitCode, stderr }).toEqual({ exitCode: 5, stderr: expect.stringContaining("named by a link") });
    expect(found(site.here)).toEqual(["link", "real.txt"]);
    expect(found(site.repository)).toEqual(["link"]);
  });

  test("goes with no stream", async () => {
    await using site = await FolderSite.open();
    writeTree(site.repository, { a: "a" });
    expect(await site.run("get", "a", "--output", "-", "--move")).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await site.run("put", "-", "--as", "b", "--move")).toMatchObject({ exitCode: 2 });
    expect(existsSync(`${site.repository}/a`)).toBe(true);
  });
});
