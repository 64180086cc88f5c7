/** Mirrors as a person types them. */
import { describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { binaries } from "../support/binaries.ts";
import { CaselessDisk, missingCaseless } from "../support/caseless-disk.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { OPEN_FLAGS, Program } from "../support/program.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { until } from "../support/until.ts";

const TREE = { "a.txt": "a", "docs/b.txt": "b", "docs/deep/c.txt": "c", "two words.txt": "w" };

/** Paths below a folder with their contents and times; folders have none. */
function treeAt(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  // A program that is killed may leave an unfinished file.
  const whole = names.filter((name) => !name.endsWith(".commserver-part"));
  return Object.fromEntries(
    whole.map((name) => {
      const stats = lstatSync(`${folder}/${name}`);
      if (!stats.isFile()) return [name, stats.isDirectory() ? "folder" : "link"];
      return [name, `${Math.trunc(stats.mtimeMs)} ${readFileSync(`${folder}/${name}`, "latin1")}`];
    }),
  );
}

describe.each(["to", "from"] as const)("a mirror %s the repository", (way) => {
  async function open(args?: string[]) {
    const site = await TransferSite.open({}, args);
    const local = `${site.here}/m`;
    const remote = `${site.repository}/m`;
    const [source, target] = way === "to" ? [local, remote] : [remote, local];
    const sides = way === "to" ? ["m", ":m"] : [":m", "m"];
    writeTree(source, TREE);
    mkdirSync(`${source}/empty`);
    return { site, source, target, sync: (...flags: string[]) => site.run("sync", ...sides, ...flags) };
  }

  test("is the same tree, and the second run has nothing to do", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    const first = await sync();
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout.trimEnd().split("\n").sort()).toEqual([
      "New a.txt (1 B)",
      "New docs/",
      "New docs/b.txt (1 B)",
      "New docs/deep/",
      "New docs/deep/c.txt (1 B)",
      "New empty/",
      "New two words.txt (1 B)",
    ]);
    expect(first.stderr).toMatch(/^Mirrored: 4 new; 4 B in [\d.]+ s \(.+\/s\)\n$/);
    expect(treeAt(target)).toEqual(treeAt(source));
    const second = await sync("--delete");
    expect(second).toMatchObject({ exitCode: 0, stdout: "" });
    expect(second.stderr).toMatch(/^Mirrored: 4 unchanged, in [\d.]+ s\n$/);
  });

  test("says with --dry-run what the run then does, in the same words", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    await sync();
    rmSync(`${source}/docs`, { recursive: true });
    writeFileSync(`${source}/docs`, "a file now");
    writeFileSync(`${source}/a.txt`, "longer");
    writeTree(target, { "old/x/y.txt": "old", "z.txt": "z" });
    const before = treeAt(target);
    const dry = await sync("--delete", "--dry-run");
    expect(dry).toMatchObject({ exitCode: 0 });
    expect(treeAt(target)).toEqual(before);
    const wet = await sync("--delete");
    expect(wet.stdout.split("\n").sort()).toEqual(dry.stdout.split("\n").sort());
    expect(wet.stdout).toContain("Deleted old/x/y.txt\n");
    expect(dry.stderr).toStartWith("Dry run, nothing was changed: 1 new, 1 updated, 8 deleted, 1 unchanged;");
    expect(treeAt(target)).toEqual(treeAt(source));
  });

  test("shows nothing with --quiet that is no error, not even what it leaves out", async () => {
    const { site, source, sync } = await open();
    await using _ = site;
    symlinkSync("nowhere", `${source}/dangling`);
    expect(await sync("--quiet")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const strict = await sync("--quiet", "--strict");
    expect([strict.exitCode, strict.stderr]).toEqual([7, expect.stringContaining("dangling")]);
  });

  test("moves and deletes nothing that the filters leave out", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    writeTree(source, { "b.tmp": "b" });
    writeTree(target, { "c.tmp": "c", "d.txt": "d", "docs/e.tmp": "e" });
    expect(await sync("--delete", "--exclude", "*.tmp")).toMatchObject({ exitCode: 0 });
    expect(Object.keys(treeAt(target))).toEqual([
      ...["a.txt", "c.tmp", "docs", "docs/b.txt", "docs/deep", "docs/deep/c.txt", "docs/e.tmp", "empty"],
      "two words.txt",
    ]);
    await sync("--delete-excluded", "--exclude", "*.tmp");
    expect(Object.keys(treeAt(target)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("deletes nothing for an empty or a missing source, or more than is allowed", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    await sync();
    const before = treeAt(target);
    for (const name of readdirSync(source)) rmSync(`${source}/${name}`, { recursive: true });
    const empty = await sync("--delete");
    expect(empty).toMatchObject({ exitCode: 7, stdout: "" });
    expect(empty.stderr).toContain(
      "Nothing is deleted: the source has no files. If that is right, give --allow-empty.",
    );
    const many = await sync("--delete", "--allow-empty", "--max-delete", "6", "--json");
    expect(many.exitCode).toBe(7);
    const events = many.stdout.trim().split("\n");
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { event: "refused", code: "INCOMPLETE", exit: 7 },
      { event: "finished", deleted: 0 },
    ]);
    rmSync(source, { recursive: true });
    expect(await sync("--delete", "--allow-empty")).toMatchObject({ exitCode: 6 });
    expect(treeAt(target)).toEqual(before);
    mkdirSync(source);
    const all = await sync("--delete", "--allow-empty", "--json");
    expect(JSON.parse(all.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ event: "finished", deleted: 7 });
    expect(treeAt(target)).toEqual({});
  });

  test("leaves newer files alone with --update, and compares contents with --checksum", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    await sync();
    writeFileSync(`${target}/a.txt`, "newer");
    utimesSync(`${target}/a.txt`, 4_000_000_000, 4_000_000_000);
    const { mtime } = lstatSync(`${target}/docs/b.txt`);
    writeFileSync(`${target}/docs/b.txt`, "x");
    utimesSync(`${target}/docs/b.txt`, mtime, mtime);
    expect((await sync("--update")).stdout).toBe("");
    expect((await sync("--update", "--checksum", "--dry-run")).stdout).toBe("Updated docs/b.txt (1 B)\n");
    expect((await sync("--update", "--checksum")).stdout).toBe("Updated docs/b.txt (1 B)\n");
    expect(readFileSync(`${target}/a.txt`, "utf8")).toBe("newer");
    await sync();
    expect(treeAt(target)).toEqual(treeAt(source));
  });

  test.each(["backup", "m/inside/backup"])("keeps what it replaces and deletes in %s", async (backup) => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    await sync();
    writeFileSync(`${source}/a.txt`, "longer");
    rmSync(`${source}/docs`, { recursive: true });
    const flags = ["--delete", "--backup-dir", way === "to" ? `:${backup}` : backup];
    const dry = await sync(...flags, "--dry-run");
    const wet = await sync(...flags);
    expect(wet.stderr).toStartWith("Mirrored: ");
    expect(wet.stdout.split("\n").sort()).toEqual(dry.stdout.split("\n").sort());
    const place = `${way === "to" ? site.repository : site.here}/${backup}`;
    expect(readFileSync(`${place}/a.txt`, "utf8")).toBe("a");
    expect(readFileSync(`${place}/docs/deep/c.txt`, "utf8")).toBe("c");
    expect(await sync(...flags)).toMatchObject({ exitCode: 0, stdout: "" });
    rmSync(`${target}/inside`, { recursive: true, force: true });
    expect(treeAt(target)).toEqual(treeAt(source));
    for (const wrong of ["m", "."]) {
      const folder = way === "to" ? wrong : `${site.here}/${wrong}`;
      expect(await sync("--backup-dir", folder)).toMatchObject({ exitCode: 2 });
    }
  });

  test("never follows a link in its target", async () => {
    const { site, source, target, sync } = await open();
    await using _ = site;
    const outside = `${site.here}/outside`;
    writeTree(outside, { "docs/precious.txt": "p", "precious.txt": "p" });
    mkdirSync(target);
    symlinkSync(`${outside}/docs`, `${target}/docs`);
    symlinkSync(`${outside}/precious.txt`, `${target}/a.txt`);
    symlinkSync(outside, `${target}/extra`);
    const kept = await sync();
    expect(kept.exitCode).toBe(8);
    expect(kept.stderr).toContain('There is a link in the place of "docs". With --delete it is removed.');
    expect(await sync("--delete")).toMatchObject({ exitCode: 0 });
    expect(treeAt(target)).toEqual(treeAt(source));
    expect(Object.keys(treeAt(outside))).toEqual(["docs", "docs/precious.txt", "precious.txt"]);
    expect(readFileSync(`${outside}/precious.txt`, "utf8")).toBe("p");
  });

  test("goes on with --watch as the source changes, until Ctrl-C", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    const { client } = await binaries();
    const sides = way === "to" ? ["m", ":m"] : [":m", "m"];
    const command = [client, "sync", ...sides, "--delete", "--exclude", "*.tmp", "--watch", "-s", site.server.address];
    await using running = new Program(command, { cwd: site.here });
    await running.hear((line) => line.startsWith("New two words.txt"));
    writeTree(source, { "new/x.tmp": "x", "new/y.txt": "y" });
    await running.hear((line) => line.startsWith("New new/y.txt"));
    rmSync(`${source}/docs`, { recursive: true });
    await running.hear((line) => line === "Deleted docs/");
    running.signal("SIGINT");
    const { exitCode, stderr } = await running.ended();
    expect(exitCode).toBe(130);
    expect(stderr).toContain("Watching; Ctrl-C ends.");
    rmSync(`${source}/new/x.tmp`);
    expect(treeAt(target)).toEqual(treeAt(source));
  });

  test("waits with --watch for a source that goes away, and deletes nothing because of that", async () => {
    const { site, source, target } = await open();
    await using _ = site;
    const { client } = await binaries();
    const sides = way === "to" ? ["m", ":m"] : [":m", "m"];
    const flags = ["--delete", "--allow-empty", "--watch", "--json", "-s", site.server.address];
    await using running = new Program([client, "sync", ...sides, ...flags], { cwd: site.here });
    await running.event("finished");
    const whole = treeAt(source);
    renameSync(source, `${source}-away`);
    expect(await running.event("away")).toEqual({ event: "away", source: sides[0] as string });
    expect(treeAt(target)).toEqual(whole);
    // A disk that is not mounted leaves an empty folder in its place.
    mkdirSync(source);
    await running.event("returned");
    await running.event("refused");
    expect(treeAt(target)).toEqual(whole);
    rmSync(source, { recursive: true });
    // Another folder with the same content.
    cpSync(`${source}-away`, `${source}-again`, { recursive: true, preserveTimestamps: true });
    renameSync(`${source}-again`, source);
    writeTree(source, { "new.txt": "n" });
    await running.event("new", { path: "new.txt" });
    writeTree(source, { "later.txt": "l" });
    await running.event("new", { path: "later.txt" });
    rmSync(`${source}/a.txt`);
    await running.event("deleted", { path: "a.txt" });
    expect(treeAt(target)).toEqual(treeAt(source));
  });

  test("goes on after kill -9, and ends the same", async () => {
    const { site, source, target, sync } = await open(["--writable", "--limit-rate", "4MB"]);
    await using _ = site;
    const random = new Random("sync-kill");
    writeTree(source, { "big.bin": random.bytes(5 * BLOCK + 3), "z/big.bin": random.bytes(3 * BLOCK) });
    writeTree(target, { "old.txt": "o" });
    const { client } = await binaries();
    const sides = way === "to" ? ["m", ":m"] : [":m", "m"];
    const command = [client, "sync", ...sides, "--delete", "-s", site.server.address];
    await using running = new Program(command, { cwd: site.here });
    await until(() => readdirSync(target).some((name) => /^big.*-part$/.test(name)));
    running.signal("SIGKILL");
    await running.ended();
    expect(existsSync(`${target}/old.txt`)).toBe(true);
    expect(await sync("--delete")).toMatchObject({ exitCode: 0 });
    expect(treeAt(target)).toEqual(treeAt(source));
  });
});

test("a mirror deletes no folder with something in it that no list can show", async () => {
  await using site = await TransferSite.open({});
  writeTree(`${site.here}/m`, TREE);
  mkdirSync(`${site.repository}/m/old`, { recursive: true });
  writeFileSync(`${site.repository}/m/old/listed.txt`, "");
  // "\xe9" in Latin-1 is no UTF-8.
  const unlisted = Buffer.concat([Buffer.from(`${site.repository}/m/old/caf`), Buffer.from([0xe9])]);
  writeFileSync(unlisted, "the only copy");
  const { exitCode, stderr } = await site.run("sync", "m", ":m", "--delete");
  expect({ exitCode, stderr }).toMatchObject({ stderr: expect.stringContaining("old") });
  expect(exitCode).not.toBe(0);
  expect(readFileSync(unlisted, "utf8")).toBe("the only copy");
});

const noCaseless = missingCaseless();

test.skipIf(isSkipped(noCaseless))(
  namedWhy(
    "a mirror to a disk without cases of letters keeps one of two such files, at every run the same",
    noCaseless,
  ),
  async () => {
    await using disk = await CaselessDisk.make();
    await using site = await TransferSite.open({});
    writeTree(`${site.repository}/m`, { Readme: "first", README: "the second", "docs/a": "x" });
    const sync = () => site.run("sync", ":m", disk.join("m"));
    expect((await sync()).exitCode).toBe(8);
    const kept = treeAt(disk.join("m"));
    expect(Object.keys(kept)).toHaveLength(3);
    for (let run = 0; run < 2; run++) {
      const { exitCode, stderr } = await sync();
      expect({ exitCode, stderr }).toEqual({
        exitCode: 8,
        stderr: expect.stringMatching(/"(Readme|README)" is the same name/),
      });
      expect(treeAt(disk.join("m"))).toEqual(kept);
    }
  },
);

test.skipIf(isSkipped(noCaseless))(
  namedWhy(
    "a mirror to a server whose disk has no cases of letters keeps one of two such files or folders, at every run the same",
    noCaseless,
  ),
  async () => {
    await using disk = await CaselessDisk.make();
    mkdirSync(disk.join("served"));
    await using server = await ServerProcess.start([
      "--repository",
      disk.join("served"),
      "--writable",
      "--keep-free",
      "0",
      ...OPEN_FLAGS,
    ]);
    using here = new TempFolder();
    writeTree(here.join("m"), {
      ...{ Readme: "first", README: "the second", "docs/a": "a", "Docs/b": "b", "DOCS/c": "c", x: "x" },
    });
    const sync = () =>
      runClient(["sync", here.join("m"), ":m", "--server", server.address, "--accept-new"], { cwd: here.path });
    const refused = (name: string) => `"${name}" is the same name`;
    for (let run = 0; run < 3; run++) {
      const { exitCode, stderr } = await sync();
      expect({
        exitCode,
        refused: ["README", "Readme", "DOCS", "Docs", "docs"].filter((name) => stderr.includes(refused(name))),
      }).toEqual({
        exitCode: 8,
        refused: ["Readme", "Docs", "docs"],
      });
      const kept = treeAt(disk.join("served/m"));
      expect(Object.keys(kept).sort()).toEqual(["DOCS", "DOCS/c", "README", "x"]);
      expect(readFileSync(disk.join("served/m/README"), "utf8")).toBe("the second");
    }
  },
);

test("a mirror to a read-only server is refused before anything is read or made", async () => {
  await using site = await TransferSite.open({}, []);
  const { exitCode, stdout } = await site.run("sync", "none", ":m");
  expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: "" });
});

test("both sides of one machine, or of the repository, are a usage error", async () => {
  await using site = await TransferSite.open();
  for (const sides of [
    ["a", "b"],
    [":a", ":b"],
    ["C:\\a", "b"],
  ]) {
    const { exitCode, stderr } = await site.run("sync", ...sides);
    expect({ sides, exitCode }).toEqual({ sides, exitCode: 2 });
    expect(stderr).toContain("with a colon before it");
  }
});

test("the shell mirrors, too, between its folders", async () => {
  await using site = await TransferSite.open({ "docs/m/a.txt": "a" });
  const { stdout } = await site.shell("cd docs", "sync :m copy", "sync copy :again --dry-run");
  expect(stdout).toContain("New a.txt (1 B)\n");
  expect(readFileSync(`${site.here}/copy/a.txt`, "utf8")).toBe("a");
  expect(existsSync(`${site.repository}/docs/again`)).toBe(false);
  await site.shell("cd docs", "sync copy :again");
  expect(existsSync(`${site.repository}/docs/again/a.txt`)).toBe(true);
});
