import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, runClient, ServerProcess } from "../support/processes.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../support/small-disk.ts";
import { TempFolder } from "../support/temp-folder.ts";

const MB = 1_000_000;

/** A compiled server with limits, and a folder of the user. */
class Site implements AsyncDisposable {
  readonly #folder = new TempFolder();
  readonly here = this.#folder.join("here");
  repository = this.#folder.join("repo");
  #server!: ServerProcess;

  static async open(args: string[], repository?: string): Promise<Site> {
    const site = new Site();
    site.repository = repository ?? site.repository;
    for (const folder of [site.repository, site.here]) mkdirSync(folder, { recursive: true });
    site.#server = await ServerProcess.start(["-r", site.repository, "--writable", "--plaintext", ...args]);
    return site;
  }

  get server(): ServerProcess {
    return this.#server;
  }

  file(name: string, bytes: number): void {
    // Not all zeros: holes of a file take no room.
    writeFileSync(`${this.here}/${name}`, Buffer.alloc(bytes, "content"));
  }

  async run(...args: string[]) {
    const done = await runClient([...args, "--json", "-s", this.#server.address, "--plaintext"], { cwd: this.here });
    const faults = [...done.stdout.split("\n"), ...done.stderr.split("\n")].filter((line) => line.startsWith("{"));
    return { ...done, codes: faults.flatMap((line) => JSON.parse(line).error?.code ?? JSON.parse(line).code ?? []) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

describe("--quota", () => {
  test("ends with exit code 11, and holds for a file that replaces another, until something is removed", async () => {
    await using site = await Site.open(["--quota", "5MB"]);
    site.file("a", 3 * MB);
    site.file("b", 3 * MB);
    site.file("small", 100);
    expect(await site.run("put", "a")).toMatchObject({ exitCode: 0 });
    const refused = await site.run("put", "b", "small");
    expect(refused).toMatchObject({ exitCode: 11 });
    expect(refused.codes).toContain("QUOTA_EXCEEDED");
    expect(readdirSync(site.repository).sort()).toEqual(["a", "small"]);
    site.file("a", 4 * MB);
    expect(await site.run("put", "a", "--overwrite")).toMatchObject({ exitCode: 11 });
    expect(await site.run("remove", "a")).toMatchObject({ exitCode: 0 });
    expect(await site.run("put", "b")).toMatchObject({ exitCode: 0 });
  });

  test("counts what was in the repository before", async () => {
    await using site = await Site.open(["--quota", "1KB"]);
    writeFileSync(`${site.repository}/old`, new Uint8Array(950));
    site.file("new", 100);
    expect(await site.run("put", "new")).toMatchObject({
      exitCode: 11,
      codes: expect.arrayContaining(["QUOTA_EXCEEDED"]),
    });
  });
});

describe("--keep-free", () => {
  test.skipIf(noSmallDisk !== undefined)(
    smallDiskTest("refuses with NO_SPACE what would take of it, and takes the rest"),
    async () => {
      using disk = new SmallDisk(12 * MB);
      await using site = await Site.open(["--keep-free", "4MB"], disk.join("repo"));
      site.file("large", 9 * MB);
      site.file("fits", 5 * MB);
      site.file("small", 100);
      const refused = await site.run("put", "large", "small");
      expect(refused).toMatchObject({ exitCode: 11 });
      expect(refused.codes).toContain("NO_SPACE");
      expect(readdirSync(site.repository)).toEqual(["small"]);
      expect(await site.run("put", "fits")).toMatchObject({ exitCode: 0 });
      site.file("more", 4 * MB);
      expect(await site.run("put", "more")).toMatchObject({ exitCode: 11 });
      expect(await site.run("get", "small", "--output", "back")).toMatchObject({ exitCode: 0 });
    },
  );
});

describe("a pattern", () => {
  test.each([
    ["of 300 characters", `${"a".repeat(299)}*`],
    ["of many alternatives", "{a,b}".repeat(40)],
    ["of many stars", "*a".repeat(60)],
  ])("%s is refused, and the server goes on", async (_, pattern) => {
    await using site = await Site.open([]);
    writeFileSync(`${site.repository}/aaa`, "");
    for (const command of ["list", "get", "watch"]) {
      const refused = await site.run(command, pattern);
      expect(refused).toMatchObject({ exitCode: 2, codes: ["BAD_PARAMS"] });
    }
    expect(await site.run("list", "a*")).toMatchObject({ exitCode: 0 });
  });
});

test("--max-messages and --max-lists slow a shell down: it keeps its input waiting, and continues", async () => {
  await using site = await Site.open(["--max-messages", "20", "--max-lists", "2"]);
  const lines = `${"status\n".repeat(8)}${"text\n".repeat(60)}exit\n`;
  const done = await runClient(["-s", site.server.address, "--plaintext"], { cwd: site.here, stdin: lines });
  expect(done.stdout.match(/^text ACK$/gm)).toHaveLength(60);
  expect(done.stdout.match(/^You are Client01/gm)).toHaveLength(8);
  expect(done).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining("are allowed") });
});

test.each([
  ["--quota", "much"],
  ["--keep-free", "-1"],
  ["--limit-rate", "10"],
  ["--limit-rate-total", "fast"],
  ["--idle", "soon"],
  ["--max-per-address", "0"],
])("a server does not start with %s %s, and says why", async (flag, value) => {
  const { server } = await binaries();
  using state = new TempFolder();
  const done = await run([server, "--state-dir", state.path, "-r", state.path, "--port", "0", `${flag}=${value}`]);
  expect(done.exitCode).toBe(2);
  expect(done.stderr).toContain(flag);
});
