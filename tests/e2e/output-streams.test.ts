/** `get` into what keeps no file: /dev/null, /dev/stdout, a pipe with a name. By the compiled programs. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, USER_ENV } from "../support/processes.ts";
import { clientCommand, Program } from "../support/program.ts";
import { TransferSite } from "../support/transfer-site.ts";

// Blocks that differ: their order counts.
const LARGE = Array.from({ length: 400_000 }, (_, at) => String(at).padStart(7, "0")).join("\n");
let site: TransferSite;

beforeAll(async () => {
  site = await TransferSite.open({ "a.txt": "one\n", "docs/b.txt": "two\n", "large.bin": LARGE });
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

/** Run the client in a shell line, in which it is `$client`, its server `$server`, and `$pipe` a pipe. */
async function shellLine(line: string) {
  const { client } = await binaries();
  const env = { ...USER_ENV, PATH: process.env["PATH"] ?? "", client, server: site.server.address };
  return run(["bash", "-o", "pipefail", "-c", `mkfifo pipe; ${line}; exit=$?; rm pipe; exit $exit`], {
    cwd: site.here,
    env,
  });
}

describe.skipIf(process.platform === "win32")("get --output", () => {
  test("/dev/null takes a file, and says what was fetched", async () => {
    const { stdout, exitCode } = await site.run("get", "a.txt", "--output", "/dev/null");
    expect(stdout).toContain("Fetched a.txt as /dev/null (4 B, verified)");
    expect(exitCode).toBe(0);
  });

  test("/dev/null takes a folder, with an event for each file", async () => {
    const { stdout, exitCode } = await site.run("get", ".", "--output", "/dev/null", "--json");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ event: "finished", stored: 3, failed: 0 });
    expect(exitCode).toBe(0);
    expect(readdirSync(site.here)).toEqual([]);
  });

  test.each(["/dev/stdout", "/dev/fd/1"])("%s is standard output, also where that is a file", async (name) => {
    const line = `$client get a.txt docs/b.txt --output ${name} --server $server`;
    expect(await shellLine(`${line} | cat`)).toMatchObject({ exitCode: 0, stdout: "one\ntwo\n" });
    expect(await shellLine(`${line} > kept && cat kept && rm kept`)).toMatchObject({ stdout: "one\ntwo\n" });
  });

  test("a pipe waits for its reader, who gets every byte", async () => {
    const { stdout, stderr } = await shellLine(
      `{ $client get large.bin --output pipe --server $server >&2 & } ; cat pipe && wait $!`,
    );
    expect(stdout === LARGE).toBe(true);
    expect(stderr).toContain("Fetched large.bin as pipe (3.2 MB, verified)");
  });

  test("a pipe whose reader leaves ends in words", async () => {
    const { exitCode, stdout, stderr } = await shellLine(
      `{ $client get large.bin --output pipe --server $server & } ; head -c 4 pipe; wait $!`,
    );
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: "0000",
      stderr: 'Nobody reads "pipe" any more: the rest was not fetched.\n',
    });
  });

  test("a pipe that nobody opens is waited for until the signal", async () => {
    Bun.spawnSync(["mkfifo", "pipe"], { cwd: site.here });
    await using own = await TransferSite.open({ "a.txt": "one\n" });
    const command = await clientCommand(own.server.address, "get", "a.txt", "--output", "pipe");
    await using client = new Program(command, { cwd: site.here });
    await own.server.event("joined");
    client.signal("SIGTERM");
    expect(await client.ended()).toEqual({ exitCode: 130, stderr: "" });
    rmSync(`${site.here}/pipe`);
  });

  test.each(["--overwrite", "--rename", "--as new", "--digest"])("/dev/null with %s is a usage error", async (flag) => {
    const { exitCode, stderr } = await site.run("get", "a.txt", "--output", "/dev/null", ...flag.split(" "));
    expect(stderr).toContain(`${flag.split(" ")[0]} can't be used with a device or a pipe (--output /dev/null).`);
    expect(exitCode).toBe(2);
  });

  test.skipIf(process.platform !== "linux")("/dev/full says so, and ends with 9", async () => {
    const { exitCode, stderr } = await site.run("get", "large.bin", "--output", "/dev/full");
    expect(stderr).toContain('Cannot write "/dev/full"');
    expect(exitCode).toBe(9);
  });
});
