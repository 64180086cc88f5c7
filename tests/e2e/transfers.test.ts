import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, USER_ENV } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { until } from "../support/until.ts";

const TIME = new Date("2020-02-29T12:34:56.789Z");

describe("put and get", () => {
  test("carry a tree there and back: contents, times, rights, empty files and folders", async () => {
    await using site = await TransferSite.open();
    writeTree(site.here, { "t/a.txt": "one", "t/deep/er/b c.txt": "two", "t/empty": "" });
    mkdirSync(`${site.here}/t/nothing`);
    chmodSync(`${site.here}/t/a.txt`, 0o755);
    utimesSync(`${site.here}/t/a.txt`, TIME, TIME);
    const sent = await site.run("put", "t", "--to", "inbox");
    expect(sent).toMatchObject({ exitCode: 0 });
    expect(sent.stdout.split("\n").filter(Boolean)).toHaveLength(3);
    expect(await site.run("get", "inbox/t", "--as", "back")).toMatchObject({ exitCode: 0 });
    for (const name of ["a.txt", "deep/er/b c.txt", "empty"]) {
      expect(readFileSync(`${site.here}/back/${name}`)).toEqual(readFileSync(`${site.here}/t/${name}`));
    }
    expect(statSync(`${site.here}/back/nothing`).isDirectory()).toBe(true);
    const { mode, mtimeMs } = statSync(`${site.here}/back/a.txt`);
    expect({ runs: (mode & 0o100) !== 0, mtimeMs }).toEqual({ runs: true, mtimeMs: TIME.getTime() });
  });

  test.each([
    [[], 8, "theirs", []],
    [["--skip-existing"], 0, "theirs", []],
    [["--overwrite"], 0, "mine!", []],
    [["--rename"], 0, "theirs", ["a (2).txt"]],
  ] as const)("with %j on a file that exists ends with %d", async (flags, exitCode, content, more) => {
    await using site = await TransferSite.open({ "a.txt": "theirs" });
    writeTree(site.here, { "a.txt": "mine!", "b.txt": "other" });
    const { stderr, ...run } = await site.run("put", "a.txt", "b.txt", ...flags);
    expect(run.exitCode).toBe(exitCode);
    if (exitCode === 8) expect(stderr).toContain('"a.txt" exists.');
    expect(readFileSync(`${site.repository}/a.txt`, "utf8")).toBe(content);
    expect(readFileSync(`${site.repository}/b.txt`, "utf8")).toBe("other");
    for (const name of more) expect(readFileSync(`${site.repository}/${name}`, "utf8")).toBe("mine!");
    expect(await site.run("put", "b.txt")).toMatchObject({ exitCode: 0, stdout: "Unchanged b.txt\n" });
  });

  test("take patterns on either side, and say when nothing matches", async () => {
    await using site = await TransferSite.open({ "x/1.txt": "1", "x/2.md": "2" });
    writeTree(site.here, { "y/3.txt": "3", "y/4.md": "4" });
    expect(await site.run("get", "x/*.txt")).toMatchObject({ exitCode: 0 });
    expect([existsSync(`${site.here}/1.txt`), existsSync(`${site.here}/2.md`)]).toEqual([true, false]);
    expect(await site.run("put", "y/*.md")).toMatchObject({ exitCode: 0 });
    expect([existsSync(`${site.repository}/3.txt`), existsSync(`${site.repository}/4.md`)]).toEqual([false, true]);
    expect(await site.run("get", "*.none")).toMatchObject({ exitCode: 6 });
    expect(await site.run("put", "*.none")).toMatchObject({ exitCode: 6 });
  });

  test("that exclude each other are a usage error, before anything is connected", async () => {
    const { exitCode, stderr } = await runClient(["get", "a", "--overwrite", "--rename", "-s", "127.0.0.1:1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--overwrite and --rename exclude each other.");
  });
});

describe("remove, rename, digest", () => {
  test("do what they say", async () => {
    await using site = await TransferSite.open({ "d/a.txt": "abc", b: "b" });
    const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect((await site.run("digest", "d/a.txt")).stdout).toBe(`${sha256}  d/a.txt\n`);
    expect(await site.run("rename", "d/a.txt", "e/f.txt")).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`${site.repository}/e/f.txt`, "utf8")).toBe("abc");
    expect(await site.run("rename", "b", "e/f.txt")).toMatchObject({ exitCode: 8 });
    expect(await site.run("remove", "e")).toMatchObject({ exitCode: 8 });
    expect(await site.run("remove", "e", "b", "--recursive")).toMatchObject({ exitCode: 0 });
    expect(existsSync(`${site.repository}/e`)).toBe(false);
    expect(await site.run("remove", "b")).toMatchObject({ exitCode: 6 });
  });

  test("and put are not allowed at a server without --writable", async () => {
    await using site = await TransferSite.open({ a: "a" }, []);
    writeTree(site.here, { mine: "x" });
    for (const args of [
      ["put", "mine"],
      ["remove", "a"],
      ["rename", "a", "b"],
    ]) {
      const { exitCode, stderr } = await site.run(...args);
      expect(exitCode).toBe(5);
      expect(stderr).toContain("--writable");
    }
    expect(existsSync(`${site.repository}/a`)).toBe(true);
  });
});

test("watch tells what is added, changed and removed, as it happens", async () => {
  await using site = await TransferSite.open({ a: "a" });
  const { client } = await binaries();
  const child = Bun.spawn([client, "watch", "--json", "-s", site.server.address], {
    env: USER_ENV,
    stdout: "pipe",
    stderr: "ignore",
  });
  let text = "";
  const reading = (async () => {
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) text += piece;
  })();
  await site.server.event("joined");
  const told = (change: string) => text.includes(`{"change":"${change}","path":"new/b"`);
  // The first of these may come before the watch has begun: it is written until one is told.
  let round = 0;
  await until(() => {
    writeTree(site.repository, { "new/b": "x".repeat(++round) });
    return told("added") || told("changed");
  });
  expect(await site.run("remove", "new", "--recursive")).toMatchObject({ exitCode: 0 });
  await until(() => told("removed") || text.includes('{"change":"removed","path":"new"}'));
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  await reading;
});
