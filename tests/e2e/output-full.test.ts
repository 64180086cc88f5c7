/** Output that can't be written: a full disk, and readers that have gone. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** Run the client in a shell line, in which it is `$client` and its server `$server`. */
async function shellLine(line: string, server: ServerProcess, folder: TempFolder) {
  const { client } = await binaries();
  const env = { ...USER_ENV, PATH: process.env["PATH"] ?? "", client, server: server.address };
  return run(["bash", "-o", "pipefail", "-c", line], { cwd: folder.path, env });
}

describe.skipIf(!existsSync("/dev/full"))("on a full disk", () => {
  test.each([
    "list",
    "status",
    "digest one.txt",
    "send hello",
    "ping",
    "get one.txt",
    "get one.txt --json",
    "get . --output -",
    "put two.txt",
  ])("%s says so once, and ends with 9", async (command) => {
    using repository = new TempFolder();
    writeFileSync(repository.join("one.txt"), "1");
    writeFileSync(repository.join("three.txt"), "3");
    await using server = await ServerProcess.start(["--repository", repository.path, "--writable"]);
    using folder = new TempFolder();
    writeFileSync(folder.join("two.txt"), "2");
    const { exitCode, stderr } = await shellLine(`$client ${command} --server $server > /dev/full`, server, folder);
    expect(stderr.match(/Cannot write the output/g)).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
    expect(exitCode).toBe(9);
  });

  test("a script that is piped into the shell fails with words", async () => {
    using repository = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path]);
    using folder = new TempFolder();
    const line = `echo hello | $client --server $server > /dev/full`;
    const { exitCode, stderr } = await shellLine(line, server, folder);
    expect(stderr).toContain("Cannot write the output");
    expect(exitCode).toBe(9);
  });
});

describe("when nobody reads any more", () => {
  test("get --output - fetches nothing more, and says nothing", async () => {
    using repository = new TempFolder();
    const count = 2000;
    for (let index = 0; index < count; index++) writeFileSync(repository.join(`${index}.txt`), "x".repeat(4096));
    await using server = await ServerProcess.start(["--repository", repository.path]);
    using folder = new TempFolder();
    const line = `$client get "*" --output - --server $server | head -c 1`;
    expect(await shellLine(line, server, folder)).toEqual({ exitCode: 0, stdout: "x", stderr: "" });
    const { bytesOut } = await server.event("left");
    expect(bytesOut).toBeLessThan((count * 4096) / 2);
  });
});
