/** Our own client and the rates of our own server: it is told when to ask again, waits, and goes on. By the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** More than the 40 calls that a session has at once, in folders and files. */
const COUNT = 60;

function tree(): TempFolder {
  const folder = new TempFolder();
  for (let index = 0; index < COUNT; index++) {
    mkdirSync(folder.join(`f${index}`));
    writeFileSync(folder.join(`f${index}/file.txt`), `file ${index}`);
  }
  return folder;
}

async function client(server: ServerProcess, folder: TempFolder, args: string[], stdin?: string) {
  const programs = await binaries();
  return run([programs.client, ...args, "--server", server.address], {
    cwd: folder.path,
    ...(stdin !== undefined && { stdin }),
  });
}

describe("a client that asks more often than it may", () => {
  test("compares every digest of what it fetched, and of what it sent", async () => {
    using repository = tree();
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path, "--writable"]);
    const got = await client(server, folder, ["get", ".", "--digest"]);
    expect(got).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining("failed") });
    expect(got.stdout.match(/verified\) {2}[0-9a-f]{64}/g)).toHaveLength(COUNT);
    const put = await client(server, folder, ["put", ".", "--to", "again", "--digest"]);
    expect(put).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining("failed") });
    expect(put.stdout.match(/verified\) {2}[0-9a-f]{64}/g)).toHaveLength(COUNT);
  });

  test("fetches more folders than it may list at once", async () => {
    using repository = tree();
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path]);
    const names = Array.from({ length: COUNT }, (_, index) => `f${index}`);
    expect(await client(server, folder, ["get", ...names])).toMatchObject({ exitCode: 0 });
    for (const name of names) expect(await Bun.file(folder.join(`${name}/file.txt`)).exists()).toBe(true);
  });

  test("lists as often as a script says", async () => {
    using repository = tree();
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path]);
    const { exitCode, stdout } = await client(server, folder, [], "list f1\n".repeat(COUNT));
    expect(exitCode).toBe(0);
    expect(stdout.match(/f1\/file\.txt/g)).toHaveLength(COUNT);
  });
});

describe("a client with --limit-rate", () => {
  test.each(["get", "put"])("moves files no faster, by %s", async (method) => {
    using repository = new TempFolder();
    using folder = new TempFolder();
    const content = crypto.getRandomValues(new Uint8Array(60_000));
    const files = Array.from({ length: 30 }, (_, index) => `f${index}`);
    for (const name of files) writeFileSync((method === "get" ? repository : folder).join(name), content);
    await using server = await ServerProcess.start(["--repository", repository.path, "--writable"]);
    const rate = 600_000;
    const begun = performance.now();
    expect(await client(server, folder, [method, ...files, "--limit-rate", `${rate}`])).toMatchObject({ exitCode: 0 });
    const seconds = (performance.now() - begun) / 1000;
    // A quarter of a second's bytes may move at once.
    expect(seconds).toBeGreaterThan((files.length * content.length) / rate - 0.3);
    for (const name of files) {
      const moved = (method === "get" ? folder : repository).join(name);
      expect(Buffer.compare(await Bun.file(moved).bytes(), content)).toBe(0);
    }
  });

  test("refuses a rate at which the link would seem dead", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["--repository", folder.path]);
    const { exitCode, stderr } = await client(server, folder, ["get", "a", "--limit-rate", "1K"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringContaining("--limit-rate takes at least 16000 bytes a second."),
    });
  });
});
