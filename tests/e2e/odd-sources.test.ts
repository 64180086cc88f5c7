/** What is no file, by names that people do give: told in words, and never called a defect. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, USER_ENV } from "../support/processes.ts";
import { TransferSite } from "../support/transfer-site.ts";

let site: TransferSite;

beforeAll(async () => {
  site = await TransferSite.open({ "a.txt": "one\n" });
}, 180_000);
afterAll(() => site[Symbol.asyncDispose]());

describe.skipIf(process.platform === "win32")("what is no file", () => {
  test.each(["/dev/stdin", "/dev/fd/0", "/dev/null"])("put %s is a usage error that says what works", async (name) => {
    const { client } = await binaries();
    const env = { ...USER_ENV, PATH: process.env["PATH"] ?? "", client, server: site.server.address };
    const line = `echo x | $client put ${name} --server $server`;
    const { exitCode, stderr } = await run(["bash", "-c", line], { cwd: site.here, env });
    expect(stderr).toContain("can't be sent: it is not a regular file. Pipe it in: put - --as NAME < FILE");
    expect(exitCode).toBe(2);
  });

  test.each([
    ["x".repeat(300), 2],
    ["x".repeat(5000), 2],
    ["loop", 9],
    ["loop/x", 9],
    ["loop/", 9],
  ])("get --output %s says why not", async (output, exit) => {
    symlinkSync("loop", `${site.here}/loop`);
    const { exitCode, stderr } = await site.run("get", "a.txt", "--output", output);
    Bun.spawnSync(["rm", `${site.here}/loop`]);
    expect(stderr).not.toContain("defect");
    expect(exitCode).toBe(exit);
  });

  test("get --output below a file says that it is not a folder", async () => {
    await Bun.write(`${site.here}/plain`, "x");
    for (const output of ["plain/b", "plain/", "plain/b/"]) {
      const { exitCode, stderr } = await site.run("get", "a.txt", "--output", output);
      expect(stderr).not.toContain("defect");
      expect([8, 9]).toContain(exitCode);
    }
  });
});

test("a line of the shell that fails says why, and is not told what the program is called", async () => {
  const { client } = await binaries();
  const lines = ['get "nothing"', "put nowhere", 'remove "no1" "no2"', 'digest "no1" "no2"'];
  const command = [client, "shell", "--server", site.server.address];
  const { stderr, exitCode } = await run(command, { cwd: site.here, stdin: `${lines.join("\n")}\n` });
  expect(stderr).toContain('There is no "nothing" in the repository.');
  expect(stderr).toContain('"nowhere"');
  expect(stderr).toContain('"no2"');
  expect(stderr).not.toContain("commserver-client");
  expect(exitCode).toBe(6);
});
