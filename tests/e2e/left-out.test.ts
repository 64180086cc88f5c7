/** What lies in a tree and can't come along: named, counted, and no failure; what is named and can't be had is one. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { FolderSite } from "../support/folder-site.ts";
import type { Finished } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";

/** A tree with everything in it that is neither file nor folder, and with names that are no paths. */
function writeOddTree(folder: string): void {
  writeTree(folder, { "a.txt": "a", "sub/b.txt": "b", "line\nfeed": "x" });
  symlinkSync("/etc/passwd", `${folder}/out`);
  symlinkSync("nowhere", `${folder}/dangling`);
  symlinkSync("sub", `${folder}/current`);
  symlinkSync("a.txt", `${folder}/same.txt`);
  Bun.spawnSync(["mkfifo", `${folder}/pipe`]);
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]), "x");
}

const LEFT_OUT = ["current", "dangling", "f\ufffd", "line\nfeed", "out", "pipe"];

function eventsOf({ stdout }: Finished): { event: string; path: string; code: string; leftOut: number }[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe.if(process.platform !== "win32").each(["get", "put"] as const)("%s of a folder", (method) => {
  async function open(): Promise<FolderSite> {
    const site = await FolderSite.open();
    writeOddTree(method === "get" ? `${site.repository}/t` : `${site.here}/t`);
    return site;
  }

  test("names and counts what can't come along, escaped, and is done", async () => {
    await using site = await open();
    const { exitCode, stderr, stdout } = await site.run(method, "t");
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").filter(Boolean)).toHaveLength(3);
    for (const name of ["current", "dangling", "out"])
      expect(stderr).toMatch(new RegExp(`Left out "(t/)?${name}": a link`));
    expect(stderr).toMatch(/Left out "(t\/)?pipe": neither a file nor a folder/);
    expect(stderr).toMatch(/Left out "(t\/)?line\\nfeed": its name can't be a path: it has a control character/);
    expect(stderr).toMatch(/Left out "(t\/)?f\ufffd": its name can't be a path: it is not UTF-8/);
    expect(stderr).toMatch(/3 files, .*, 6 left out\n$/);
    const target = method === "get" ? site.here : site.repository;
    expect(readFileSync(`${target}/t/same.txt`, "utf8")).toBe("a");
    expect(existsSync(`${target}/t/current`)).toBe(false);
  });

  test("is incomplete for it with --strict, all else having moved", async () => {
    await using site = await open();
    expect(await site.run(method, "t", "--strict")).toMatchObject({ exitCode: 7 });
    const again = await site.run(method, "t/sub", "--strict");
    expect({ again: again.exitCode, stderr: again.stderr }).toEqual({ again: 0, stderr: "" });
  });

  test("tells programs an event for each", async () => {
    await using site = await open();
    const result = await site.run(method, "t", "--json");
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const events = eventsOf(result);
    const names = events.filter(({ event }) => event === "left-out").map(({ path }) => path.replace(/^t\//, ""));
    expect(names.sort()).toEqual(LEFT_OUT);
    expect(events.at(-1)).toMatchObject({ event: "finished", failed: 0, leftOut: LEFT_OUT.length });
  });
});

describe.if(process.platform !== "win32")("what is named on the command line and can't be had", () => {
  test.each([
    ["out", 5],
    ["dangling", 6],
    ["pipe", 2],
    ["none", 6],
  ])("get %s fails with exit code %i, and the next one comes", async (name, exitCode) => {
    await using site = await FolderSite.open();
    writeOddTree(`${site.repository}/t`);
    const { stderr, ...result } = await site.run("get", `t/${name}`, "t/a.txt");
    expect(result).toMatchObject({ exitCode });
    expect(stderr).toContain(`"t/${name}"`);
    expect(readFileSync(`${site.here}/a.txt`, "utf8")).toBe("a");
  });
});

describe.if(process.platform !== "win32")("list", () => {
  test("names what it leaves out", async () => {
    await using site = await FolderSite.open();
    writeOddTree(`${site.repository}/t`);
    const { exitCode, stderr } = await site.run("list");
    expect(exitCode).toBe(0);
    expect(stderr.split("\n").filter(Boolean).sort()).toEqual([
      'Left out "t/f\ufffd": its name can\'t be a path: it is not UTF-8',
      'Left out "t/line\\nfeed": its name can\'t be a path: it has a control character',
    ]);
  });

  test("of a pattern says nothing of names that it does not mean", async () => {
    await using site = await FolderSite.open();
    writeOddTree(`${site.repository}/t`);
    expect(await site.run("list", "t/*.txt")).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await site.run("get", "t/*.txt")).stderr).not.toContain("Left out");
  });
});
