/** What README says was run as it is written: its `console` blocks, its tables of flags and exit codes. */
import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { examplesIn, outputPattern } from "../support/shown-examples.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const readme = await Bun.file(join(ROOT, "README.md")).text();

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A program under the name that README uses, which finds the server of the test. */
async function script(file: string, command: string): Promise<void> {
  await Bun.write(file, `#!/bin/sh\nexec ${command}\n`);
  chmodSync(file, 0o755);
}

describe("README", () => {
  test("its commands print what it shows", async () => {
    await using server = await ServerProcess.start(["--repository", join(ROOT, "repository")]);
    using folder = new TempFolder();
    const programs = await binaries();
    await script(folder.join("bin/commserver-client"), `${programs.client} --server ${server.address} "$@"`);
    await script(folder.join("bin/commserver-server"), `${programs.server} "$@" --state-dir ${server.stateDir}`);
    const env = { ...USER_ENV, PATH: `${folder.join("bin")}:${process.env["PATH"]}` };
    const all = examplesIn(readme);
    expect(all.length).toBeGreaterThan(10);
    for (const { command, output } of all) {
      const { stdout } = await run(["/bin/sh", "-c", command], { cwd: folder.path, env });
      expect(`$ ${command}\n${stdout.trim()}`).toMatch(outputPattern(`$ ${command}\n${output}`));
    }
  });

  test("its exit codes are those of the error table", () => {
    const table = [...readme.matchAll(/^\| (\d+) +\| .*\|$/gm)].map(([, code]) => Number(code));
    const codes = new Set<number>([0, ...Object.values(EXIT_OF)]);
    expect(table).toEqual([...codes].sort((a, b) => a - b));
  });

  test.each(["server", "client"] as const)("its flags of the %s exist", async (name) => {
    const program = (await binaries())[name];
    const commands =
      name === "server"
        ? ["serve", "console", "token", "identity", "config"]
        : [
            "shell",
            "status",
            "list",
            "get",
            "put",
            "mkdir",
            "remove",
            "rename",
            "du",
            "digest",
            "watch",
            "send",
            "ping",
            "unfinished",
            "join",
            "use",
            "forget",
            "config",
          ];
    const { server } = await binaries();
    // The page of the client speaks of what its server must be told, too.
    const pages = [[server, "serve"], ...commands.map((command) => [program, command])];
    const help = (await Promise.all(pages.map((page) => run([...page, "--help"])))).map(({ stdout }) => stdout).join();
    const start = readme.indexOf(name === "server" ? "## The server" : "## Commands");
    const section = readme.slice(
      start,
      readme.indexOf(name === "server" ? "### The operator" : "### Exit codes", start),
    );
    const flags = new Set([...section.matchAll(/`[^`]*?(--[a-z][a-z-]+)/g)].map(([, flag]) => flag as string));
    expect(flags.size).toBeGreaterThan(4);
    for (const flag of flags) expect(help).toContain(`${flag} `.trimEnd());
  });
});
