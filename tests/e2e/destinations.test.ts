import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { run } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { TransferSite } from "../support/transfer-site.ts";
import { until } from "../support/until.ts";

const BLOCK = 1024 * 1024;
/** A file of two blocks between small ones. */
const FILES = {
  "docs/a.txt": "a",
  "docs/big.bin": "b".repeat(1.25 * BLOCK),
  "docs/sub/z.txt": "z",
  "one.txt": "one",
  "large.bin": "l".repeat(1.25 * BLOCK),
};
let site: TransferSite;

beforeAll(async () => {
  site = await TransferSite.open(FILES, ["--writable", "--limit-rate", "1MB", "--max-clients", "500"]);
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());
beforeEach(() => {
  rmSync(site.here, { recursive: true });
  mkdirSync(site.here);
});

/** A small file that was killed in its only moment leaves this, which nobody goes on with. */
const OF_A_MOMENT = /\.[0-9a-f]{8}\.commserver-part$/;

/** The files below the folder of the user, without what a holder leaves to show itself. */
function tree(folder = site.here): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && !entry.parentPath.includes(".commserver-lock") && !OF_A_MOMENT.test(entry.name),
    )
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

/** What has been stored so far, and what the journals say. */
function progress(): string {
  return tree()
    .map((name) => {
      const file = join(site.here, name);
      if (!name.endsWith(".commserver-journal")) return name;
      return existsSync(file) ? `${name} ${Bun.hash(readFileSync(file))}` : "";
    })
    .join("\n");
}

/**
 * Run it again and again, each time killed at the first step that it makes, until it ends by itself. A step may be no
 * progress, such as opening the journal again, so later runs get one more each.
 */
async function killedAtEachStep(start: () => Program | Promise<Program>): Promise<{ rounds: number; seen: string[] }> {
  const seen: string[] = [];
  for (let rounds = 1; rounds < 50; rounds++) {
    await using program = await start();
    let [before, steps] = [progress(), 0];
    const outcome = await until(() => {
      if (program.isOver) return "over";
      if (!safely(() => progress() !== before, true)) return false;
      before = safely(() => progress(), before);
      return ++steps >= rounds / 10;
    });
    program.signal("SIGKILL");
    const { exitCode } = await program.ended();
    seen.push(...tree());
    if (outcome === "over" && exitCode === 0) return { rounds, seen };
  }
  throw new Error("it never ended");
}

/** A file may go while it is looked at. */
function safely<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

async function command(...args: string[]): Promise<Program> {
  const { client } = await binaries();
  return new Program([client, ...args, "--json", "-s", site.server.address], { cwd: site.here });
}

async function shell(line: string): Promise<Program> {
  const { client } = await binaries();
  const program = new Program([client, "-s", site.server.address], { cwd: site.here });
  program.say(line);
  program.endInput();
  return program;
}

/** Killed behind the last step but one, it leaves its journal. */
async function removeRemains(): Promise<void> {
  await run([(await binaries()).client, "unfinished", "--remove"], { cwd: site.here });
}

const DOCS = ["a.txt", "big.bin", "sub/z.txt"];

describe("a destination means the same each time, wherever the command was interrupted:", () => {
  test.each([
    [["get", "docs", "--output", "NEW"], 'get "docs" "NEW"', "NEW/docs"],
    [["get", "docs", "--output", "NEW/"], 'get "docs" "NEW/"', "NEW/docs"],
    [["get", "docs", "--output", "deep/er/"], 'get "docs" --output "deep/er/"', "deep/er/docs"],
    [["get", "docs", "--output", "deep/er"], 'get "docs" "deep/er"', "deep/er/docs"],
    [["get", "docs", "--as", "NEW"], 'get "docs" --as NEW', "NEW"],
    [["get", "docs", "--output", "in/", "--as", "x/y"], 'get "docs" "in/" --as "x/y"', "in/x/y"],
    [["get", "docs/**", "--output", "NEW"], 'get "docs/**" NEW', "NEW"],
    [["get", "docs"], "get docs", "docs"],
  ])(
    "%j",
    async (args, line, at) => {
      const expected = DOCS.map((name) => `${at}/${name}`);
      const { rounds, seen } = await killedAtEachStep(() => command(...args));
      await removeRemains();
      expect(tree()).toEqual(expected);
      expect(rounds).toBeGreaterThan(3);
      // Nothing of it was ever anywhere else.
      expect(seen.filter((name) => !name.startsWith(`${at}/`))).toEqual([]);

      rmSync(site.here, { recursive: true });
      mkdirSync(site.here);
      expect((await killedAtEachStep(() => shell(line))).rounds).toBeGreaterThan(3);
      await removeRemains();
      expect(tree()).toEqual(expected);
    },
    60_000,
  );

  test("of one file", async () => {
    await killedAtEachStep(() => command("get", "large.bin", "--output", "new.bin"));
    await killedAtEachStep(() => command("get", "large.bin", "--output", "in/"));
    await killedAtEachStep(() => command("get", "large.bin", "one.txt", "--output", "two"));
    await killedAtEachStep(() => command("get", "large.bin", "--as", "sub/new.bin"));
    await removeRemains();
    expect(tree()).toEqual(["in/large.bin", "new.bin", "sub/new.bin", "two/large.bin", "two/one.txt"]);
  }, 180_000);
});

describe("get --output", () => {
  test("of a folder that is there puts things into it", async () => {
    mkdirSync(`${site.here}/old`);
    expect(await site.run("get", "docs/sub", "one.txt", "-o", "old")).toMatchObject({ exitCode: 0 });
    expect(await site.run("get", "one.txt", "-o", "old", "--as", "two.txt")).toMatchObject({ exitCode: 0 });
    expect(tree()).toEqual(["old/one.txt", "old/sub/z.txt", "old/two.txt"]);
  });

  test("of an existing file is not a folder for others, and is left as it is", async () => {
    writeFileSync(`${site.here}/taken`, "mine");
    const folder = await site.run("get", "docs/sub", "-o", "taken");
    expect(folder.exitCode).toBe(2);
    expect(folder.stderr).toContain("--output names a file that exists: only a single file can replace it.");
    expect(await site.run("get", "one.txt", "-o", "taken")).toMatchObject({ exitCode: 8 });
    expect(readFileSync(`${site.here}/taken`, "utf8")).toBe("mine");
    expect(tree()).toEqual(["taken"]);
  });

  test("makes no folder when nothing comes", async () => {
    expect(await site.run("get", "none", "-o", "new/er/")).toMatchObject({ exitCode: 6 });
    expect(await site.run("get", "none*", "-o", "new")).toMatchObject({ exitCode: 6 });
    expect(readdirSync(site.here)).toEqual([]);
  });

  test("and --as that can't be are usage errors", async () => {
    const refused: [string[], string][] = [
      [["get", "one.txt", "docs", "--as", "x"], "--as names one file or folder, but there are several."],
      [["put", "one.txt", "docs", "--as", "x"], "--as names one file or folder, but there are several."],
      [["get", "docs/*", "--as", "x"], '--as names one file or folder, and "docs/*" is a pattern.'],
      [["put", "none*", "--as", "x"], '--as names one file or folder, and "none*" is a pattern.'],
      [["get", "docs", "--as", "../x"], "it has the component"],
      [["get", "docs", "--as", "/x"], "it is absolute"],
    ];
    for (const [args, message] of refused) {
      const { exitCode, stderr } = await site.run(...args);
      expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
      expect(stderr).toContain(message);
    }
    expect(readdirSync(site.here)).toEqual([]);
  });
});

describe("put --as", () => {
  test("gives a file or a folder another name or place, below --to", async () => {
    mkdirSync(`${site.here}/d`);
    writeFileSync(`${site.here}/d/f.txt`, "f");
    expect(await site.run("put", "d/f.txt", "--as", "g.txt", "--to", "put1")).toMatchObject({ exitCode: 0 });
    expect(await site.run("put", "d", "--as", "put2/e")).toMatchObject({ exitCode: 0 });
    expect(await site.run("put", "d/.", "--as", "put3")).toMatchObject({ exitCode: 0 });
    const { stdout } = await site.shell('put "d/f.txt" "put4" --as "x y.txt"');
    expect(stdout).toContain("Sent f.txt as put4/x y.txt (1 B, verified)");
    for (const path of ["put1/g.txt", "put2/e/f.txt", "put3/f.txt", "put4/x y.txt"]) {
      expect(statSync(`${site.repository}/${path}`).size).toBe(1);
    }
  });
});
