/** `put --untar` by the compiled programs: from standard input, from the shell, over a lost link, in bounded memory. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { run, USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";

const LARGE = "0123456789abcdef".repeat(300_000);
const TREE = { "t/a.txt": "alpha", "t/schön/b.txt": "beta", "t/large.bin": LARGE, "t/none": "" };

/** Run a line of bash in the user's folder, in which the client is `$client`, and its server `$server`. */
async function shellLine(site: FolderSite, line: string, env: Record<string, string> = {}) {
  const { client } = await binaries();
  const all = { ...USER_ENV, PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", client, server: site.address, ...env };
  return run(["bash", "-o", "pipefail", "-c", line], { cwd: site.here, env: all });
}

async function open(): Promise<FolderSite> {
  const site = await FolderSite.open();
  writeTree(site.here, TREE);
  return site;
}

describe("put --untar", () => {
  test("unpacks standard input, keeps nothing of it, and does nothing the second time", async () => {
    await using site = await open();
    const env = { TMPDIR: `${site.here}/tmp` };
    mkdirSync(env.TMPDIR);
    const line = "tar --format=posix -c t | $client put --untar - --to in --server $server";
    expect(await shellLine(site, line, env)).toMatchObject({ exitCode: 0 });
    expect(await shellLine(site, "diff -r t ../repo/in/t")).toMatchObject({ exitCode: 0, stdout: "" });
    expect((await shellLine(site, line, env)).stderr).toContain("4 unchanged");
    expect(readdirSync(env.TMPDIR)).toEqual([]);
  });

  test("takes what a tar of another program's failure has, and says that it is cut", async () => {
    await using site = await open();
    const line = "tar -c t | head -c 2000000 | $client put --untar - --server $server --json";
    const { exitCode, stdout } = await shellLine(site, line);
    const events = stdout
      .trim()
      .split("\n")
      .map((event) => JSON.parse(event));
    expect(exitCode).toBe(7);
    expect(events.at(-1)).toMatchObject({ event: "finished", failed: 1 });
    expect(events).toContainEqual(expect.objectContaining({ event: "failed", path: "-", code: "INCOMPLETE", exit: 7 }));
  });

  test("unpacks files, also in the shell, where standard input is what is typed", async () => {
    await using site = await open();
    await shellLine(site, "tar -cf t.tar t; tar -cf u.tar t/a.txt");
    expect(await site.run("put", "--untar", "t.tar", "u.tar", "--to", "in")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`${site.repository}/in/t/large.bin`, "utf8")).toBe(LARGE);
    const { stdout } = await site.type("put --untar t.tar there", "put --untar -", "ls there");
    expect(stdout).toContain("t/");
    expect(stdout).toContain("Standard input is what you type");
  });

  test("is no way to rename, to compare, or to read names", async () => {
    await using site = await open();
    for (const flag of ["--as=b", "--digest", "--files-from=names"]) {
      const { exitCode, stderr } = await site.run("put", "--untar", ...(flag.includes("names") ? [] : ["t.tar"]), flag);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`${flag.replace(/=.*/, "")}`)]);
    }
    expect(await site.run("put", "--untar", "missing.tar")).toMatchObject({ exitCode: 6 });
  });
});
