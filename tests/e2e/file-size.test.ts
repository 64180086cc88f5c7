/** Files that are larger than a file can be there: the limit is the one of `ulimit -f`, as a disk's would be. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess } from "../support/processes.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";

const FILES = { "a.txt": "a", "big.bin": noise(3 * 1024 * 1024), "small.bin": noise(1024 * 1024 - 1), "z.txt": "z" };
const SMALLER = Object.keys(FILES).filter((name) => name !== "big.bin");

/** A command that may make no file of more than 2 MiB. */
const limited = (...command: string[]) => ["bash", "-c", 'ulimit -f 2048; exec "$0" "$@"', ...command];

describe.skipIf(process.platform === "win32")("a file that is larger than a file can be", () => {
  test("fails alone in a get, before its first byte, by its own words", async () => {
    using folder = new TempFolder();
    writeTree(folder.join("repository"), FILES);
    mkdirSync(folder.join("here"));
    const { client } = await binaries();
    await using server = await ServerProcess.start(["-r", folder.join("repository"), "--open"]);
    const command = limited(client, "get", ".", "-s", server.address);
    const { exitCode, stderr } = await run(command, { cwd: folder.join("here") });
    expect(stderr).toContain('"big.bin" is larger than a file can be on the disk of this machine.');
    expect(stderr).toContain("Split it into smaller files.");
    expect(exitCode).toBe(9);
    expect(readdirSync(folder.join("here")).sort()).toEqual(SMALLER);
  });

  test("fails alone in a put, and the server goes on", async () => {
    using folder = new TempFolder();
    writeTree(folder.join("here"), FILES);
    mkdirSync(folder.join("repository"));
    const { client, server: program } = await binaries();
    await using server = await ServerProcess.start(["-r", folder.join("repository"), "--writable"], {
      program: limited(program),
    });
    const names = Object.keys(FILES);
    const { exitCode, stderr } = await run([client, "put", ...names, "-s", server.address], {
      cwd: folder.join("here"),
    });
    expect(stderr).toContain('"big.bin" is larger than a file can be on the disk of the server.');
    expect(exitCode).toBe(11);
    expect(readdirSync(folder.join("repository")).sort()).toEqual(SMALLER);
  });
});
