/** What docs/operating.md shows was run as it is written. */
import { beforeAll, expect, test } from "bun:test";
import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { examplesIn, outputPattern } from "../support/shown-examples.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROOT = join(import.meta.dir, "../..");

beforeAll(async () => {
  await binaries();
}, 180_000);

test("docs/operating.md: its commands print what it shows", async () => {
  await using server = await ServerProcess.start(["--repository", join(ROOT, "repository")]);
  using folder = new TempFolder();
  const programs = await binaries();
  symlinkSync(programs.server, folder.join("commserver-server"));
  symlinkSync(programs.client, folder.join("commserver-client"));
  chmodSync(folder.path, 0o700);
  const env = {
    ...USER_ENV,
    PATH: `${folder.path}:${process.env["PATH"]}`,
    COMMSERVER_SERVER: server.address,
    COMMSERVER_STATE_DIR: server.stateDir,
    XDG_CONFIG_HOME: folder.join("config"),
  };
  const all = examplesIn(await Bun.file(join(ROOT, "docs/operating.md")).text());
  expect(all.length).toBeGreaterThan(4);
  for (const { command, output } of all) {
    const { stdout } = await run(["/bin/sh", "-c", command], { cwd: folder.path, env });
    expect(`$ ${command}\n${stdout.trim()}`).toMatch(outputPattern(`$ ${command}\n${output}`));
  }
});
