/** Folders as tars: `get FOLDER --output -`, by the compiled programs and the tars that people have. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { FolderSite } from "../support/folder-site.ts";
import { run, USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { missingTar, TARS } from "../support/tars.ts";

const LARGE = "0123456789abcdef".repeat(200_000);
const TREE = { "t/a.txt": "alpha", "t/schön/b.txt": "beta", "t/large.bin": LARGE, "t/none": "", "other.txt": "other" };

/** Run a line of bash in the user's folder, in which the client is `$client`, and its server `$server`. */
async function shellLine(site: FolderSite, line: string) {
  const { client } = await binaries();
  const env = { ...USER_ENV, PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", client, server: site.address };
  return run(["bash", "-o", "pipefail", "-c", line], { cwd: site.here, env });
}

async function open(): Promise<FolderSite> {
  const site = await FolderSite.open();
  writeTree(site.repository, TREE);
  chmodSync(`${site.repository}/t/a.txt`, 0o755);
  mkdirSync(`${site.repository}/t/bare`);
  utimesSync(`${site.repository}/t/a.txt`, 1_700_000_000.5, 1_700_000_000.5);
  return site;
}

describe.each(TARS)("get FOLDER --output - for $name", (program) => {
  const tar = program.command.join(" ");

  test.skipIf(missingTar(program))("is the folder", async () => {
    await using site = await open();
    const line = `$client get t --output - --server $server | ${tar} -xf -`;
    expect(await shellLine(site, line)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await shellLine(site, "diff -r t ../repo/t && test -x t/a.txt && test ! -x t/none")).toMatchObject({
      ...{ exitCode: 0, stdout: "" },
    });
    if (program.name !== "BusyBox") expect(Bun.file(`${site.here}/t/a.txt`).lastModified).toBe(1_700_000_000_500);
  });

  test.skipIf(missingTar(program))("ends visibly when a file fails", async () => {
    await using site = await open();
    const line = `$client get t missing --output - --server $server | ${tar} -xf -; echo "\${PIPESTATUS[@]}"`;
    const { stdout, stderr } = await shellLine(site, line);
    expect(stdout).toMatch(/^6 [12]\n$/);
    expect(stderr).toContain("missing");
    expect(readFileSync(`${site.here}/t/a.txt`, "utf8")).toBe("alpha");
  });
});

describe("get FOLDER --output -", () => {
  test("takes filters, several sources, and the whole repository", async () => {
    await using site = await open();
    const list = async (words: string) => {
      const { stdout } = await shellLine(site, `$client get ${words} --output - --server $server | tar -tf -`);
      return stdout.trim().split("\n").sort();
    };
    expect(await list("t --exclude '*.bin' --exclude none")).toEqual([
      ...["t/", "t/a.txt", "t/bare/", "t/schön/", "t/schön/b.txt"],
    ]);
    expect(await list("t/schön other.txt")).toEqual(["other.txt", "schön/", "schön/b.txt"]);
    expect(await list(".")).toContain("t/bare/");
  });

  test("with something left out is whole; with --strict it is not", async () => {
    await using site = await open();
    symlinkSync("/etc", `${site.repository}/t/etc`);
    const line = (flag: string) =>
      shellLine(site, `$client get t ${flag} --output - --server $server | tar -t; echo "\${PIPESTATUS[@]}"`);
    expect((await line("")).stdout).toEndWith("\n0 0\n");
    expect((await line("--strict")).stdout).toEndWith("\n7 2\n");
  });

  test("of what can't be found ends visibly", async () => {
    await using site = await open();
    const line = `$client get t --exclude '*' none --output - --server $server | bsdtar -t; echo "\${PIPESTATUS[@]}"`;
    expect((await shellLine(site, line)).stdout).toEndWith("6 1\n");
  });

  test("of a pattern or of files is their bytes, one after the other", async () => {
    await using site = await open();
    expect(await site.run("get", "t/a.txt", "other.txt", "--output", "-")).toMatchObject({ stdout: "alphaother" });
    expect(await site.run("get", "t/*.txt", "--output", "-")).toMatchObject({ stdout: "alpha" });
    writeFileSync(`${site.here}/names`, "t/a.txt\nother.txt\n");
    expect(await site.run("get", "--files-from", "names", "--output", "-")).toMatchObject({ stdout: "alphaother" });
  });

  test("is refused in the shell", async () => {
    await using site = await open();
    const { exitCode, stdout, stderr } = await site.type("get t --output -");
    expect({ exitCode, said: stdout + stderr }).toEqual({
      ...{ exitCode: 2, said: expect.stringContaining("not for a terminal") },
    });
  });
});
