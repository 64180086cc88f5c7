import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { clientCommand, Program } from "../support/program.ts";
import { writeTree } from "../support/repository.ts";
import { TransferSite } from "../support/transfer-site.ts";

/** Names that look like patterns, beside what they would match. */
const FILES = {
  "photo [1].jpg": "the one",
  "photo 1.jpg": "another",
  "old {2019}/a.txt": "a",
  "old {2019}/deep [x]/b.txt": "b",
  "what?": "why",
  whatx: "no",
  "*": "star",
  "docs/a.txt": "docs",
};
let site: TransferSite;

beforeEach(async () => {
  site = await TransferSite.open(FILES);
}, 180_000);
afterEach(() => site[Symbol.asyncDispose]());

const pathsOf = (stdout: string) => JSON.parse(stdout).map(({ path }: { path: string }) => path);
const local = (name: string) => readFileSync(`${site.here}/${name}`, "utf8");

describe("a name that looks like a pattern", () => {
  test.each([
    ["photo [1].jpg", "the one"],
    ["what?", "why"],
    ["*", "star"],
  ])("is fetched before what it would match: %s", async (name, content) => {
    expect(await site.run("get", name)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(site.here)).toEqual([name]);
    expect(local(name)).toBe(content);
    expect(await site.run("get", name, "--output", "new.jpg")).toMatchObject({ exitCode: 0 });
    expect(local("new.jpg")).toBe(content);
    for (const made of readdirSync(site.here)) rmSync(`${site.here}/${made}`);
  });

  test("is fetched as a folder, with all below it", async () => {
    expect(await site.run("get", "old {2019}/", "old {2019}/deep [x]", "--output", "copy/")).toMatchObject({
      exitCode: 0,
    });
    expect(local("copy/old {2019}/deep [x]/b.txt")).toBe("b");
    expect(local("copy/deep [x]/b.txt")).toBe("b");
    rmSync(`${site.here}/copy`, { recursive: true });
  });

  test("is listed: a file alone, a folder with what is in it", async () => {
    expect(pathsOf((await site.run("list", "photo [1].jpg", "--json")).stdout)).toEqual(["photo [1].jpg"]);
    const below = ["old {2019}/a.txt", "old {2019}/deep [x]", "old {2019}/deep [x]/b.txt"];
    expect(pathsOf((await site.run("list", "old {2019}", "--json")).stdout).sort()).toEqual(below);
    expect(pathsOf((await site.run("list", "./old {2019}/", "--json")).stdout).sort()).toEqual(below);
    expect(pathsOf((await site.run("list", "what[?x]", "--json")).stdout).sort()).toEqual(["what?", "whatx"]);
  });

  test("is listed, fetched and its digest told in the shell", async () => {
    const { stdout } = await site.shell(
      "list photo [1].jpg",
      "get photo [1].jpg",
      "digest photo [1].jpg",
      "get old {2019}",
    );
    expect(stdout).not.toContain("photo 1.jpg");
    expect(stdout.match(/ {2}photo \[1\]\.jpg$/gm)).toHaveLength(2);
    expect(local("photo [1].jpg")).toBe("the one");
    expect(local("old {2019}/a.txt")).toBe("a");
    for (const made of readdirSync(site.here)) rmSync(`${site.here}/${made}`, { recursive: true });
  });

  test("is watched, and its digest told", async () => {
    await using watching = new Program(await clientCommand(site.server.address, "watch", "old {2019}", "--json"));
    await using other = new Program(await clientCommand(site.server.address, "watch", "photo [1].jpg", "--json"));
    expect((await site.run("digest", "photo [1].jpg")).stdout).toMatch(/^[0-9a-f]{64} {2}photo \[1\]\.jpg\n$/);
    // Told as soon as they are heard: until then it is written again and again.
    let round = 0;
    const writing = setInterval(() => {
      writeTree(site.repository, { "old {2019}/new.txt": `${++round}`, "photo [1].jpg": `the one, ${round}` });
    }, 50);
    try {
      expect(JSON.parse(await watching.hear(() => true))).toMatchObject({ path: "old {2019}/new.txt" });
      expect(JSON.parse(await other.hear(() => true))).toMatchObject({ path: "photo [1].jpg" });
    } finally {
      clearInterval(writing);
    }
  });

  test("is removed, and nothing else", async () => {
    expect(await site.run("put", "--to", "x", "none?")).toMatchObject({ exitCode: 6 });
    expect(await site.run("remove", "what?", "*")).toMatchObject({ exitCode: 0 });
    expect(existsSync(`${site.repository}/whatx`)).toBe(true);
    expect(existsSync(`${site.repository}/what?`)).toBe(false);
  });
});

describe("a pattern that matches nothing", () => {
  test("says so", async () => {
    expect(await site.run("get", "none*")).toMatchObject({ exitCode: 6 });
    expect((await site.run("get", "none*")).stderr).toContain('Nothing matches "none*".');
    expect((await site.run("list", "none*")).stderr).toBe('Nothing matches "none*".\n');
  });

  test("of remove and digest, too", async () => {
    for (const command of ["remove", "digest"]) {
      const { exitCode, stderr } = await site.run(command, "none*");
      expect({ exitCode, stderr }).toEqual({
        exitCode: 6,
        stderr: expect.stringContaining('Nothing matches "none*".'),
      });
    }
  });
});

describe("remove and digest", () => {
  test("tell each path that fails, and end with the code of the first", async () => {
    for (const command of ["remove", "digest"]) {
      // Of a folder, digest tells what is in it.
      const other = command === "remove" ? "docs" : "docs/none";
      const { exitCode, stderr } = await site.run(command, "no1", other, "no2");
      expect(exitCode).toBe(6);
      expect(stderr.match(/^commserver-client: .*$/gm)?.length).toBe(3);
      for (const name of ["no1", other, "no2"]) expect(stderr).toContain(`"${name}"`);
      const json = (await site.run(command, other, "no2", "--json")).stderr.trim().split("\n");
      expect(json.map((line) => JSON.parse(line).error.exit)).toEqual([command === "remove" ? 8 : 6, 6]);
    }
    const { stderr, stdout } = await site.shell('digest "no1" "docs/a.txt" "no2"', 'remove "no3" "no4"');
    for (const name of ["no1", "no2", "no3", "no4"]) expect(stderr).toContain(`"${name}"`);
    expect(stdout).toContain("  docs/a.txt");
  });
});
