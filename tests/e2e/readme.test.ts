/** What README and docs/ say was run as it is written: their `console` blocks, their tables of flags and exit codes. */
import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { EXIT_OF } from "../../lib/cli/exit-codes.ts";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { examplesIn, outputPattern } from "../support/shown-examples.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const pageOf = (name: string) => Bun.file(join(ROOT, name)).text();

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A program under the name that the pages use, which finds the server of the test. */
async function script(file: string, command: string): Promise<void> {
  await Bun.write(file, `#!/bin/sh\n${command}\n`);
  chmodSync(file, 0o755);
}

describe("the pages", () => {
  test("their commands print what they show", async () => {
    await using server = await ServerProcess.start(["--repository", join(ROOT, "repository")]);
    using folder = new TempFolder();
    const programs = await binaries();
    const exec = (variable: string, program: string) => `${variable} exec ${program} "$@"`;
    const { address, stateDir } = server;
    await script(folder.join("bin/commserver-client"), exec(`COMMSERVER_SERVER=${address}`, programs.client));
    await script(folder.join("bin/commserver-server"), exec(`COMMSERVER_STATE_DIR=${stateDir}`, programs.server));
    const env = {
      ...USER_ENV,
      PATH: `${folder.join("bin")}:${process.env["PATH"]}`,
      XDG_CONFIG_HOME: folder.join("config"),
    };
    for (const page of ["client", "files", "mirror", "server", "configuration"]) {
      const all = examplesIn(await pageOf(`docs/${page}.md`));
      expect(all.length).toBeGreaterThan(1);
      for (const { command, output } of all) {
        const { stdout } = await run(["/bin/sh", "-c", command], { cwd: folder.path, env });
        expect(`$ ${command}\n${stdout.trim()}`).toMatch(outputPattern(`$ ${command}\n${output}`));
      }
    }
  });

  test("the exit codes are those of the error table", async () => {
    const table = [...(await pageOf("docs/client.md")).matchAll(/^\| (\d+) +\| .*\|$/gm)].map(([, code]) =>
      Number(code),
    );
    const codes = new Set<number>([0, ...Object.values(EXIT_OF)]);
    expect(table).toEqual([...codes].sort((a, b) => a - b));
  });

  test.each([
    ["server", ["docs/server.md"]],
    ["client", ["docs/client.md", "docs/files.md", "docs/mirror.md", "docs/shell.md"]],
  ] as const)("the flags of the %s exist", async (name, pages) => {
    const programs = await binaries();
    const program = programs[name];
    const listed = (await run([program, "--help"])).stdout.split("\nCOMMANDS\n")[1]?.split("\n\n")[0] ?? "";
    const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, command]) => command as string);
    expect(commands.length).toBeGreaterThan(4);
    // The pages of the client speak of what its server must be told, too.
    const calls = [[programs.server, "serve"], ...commands.map((command) => [program, command])];
    const help = (await Promise.all(calls.map((call) => run([...call, "--help"])))).map(({ stdout }) => stdout).join();
    const text = (await Promise.all(pages.map(pageOf))).join("\n");
    const flags = new Set([...text.matchAll(/`[^`\n]*?(--[a-z][a-z-]+)/g)].map(([, flag]) => flag as string));
    expect(flags.size).toBeGreaterThan(4);
    for (const flag of flags) expect(help).toContain(flag);
  });
});
