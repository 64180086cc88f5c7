/** Tokens that could not be shown to who made them: a full disk takes the output. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** Run the server's program in a shell line, in which it is `$server` and its state folder `$state`. */
async function shellLine(line: string, stateDir: string) {
  const { server } = await binaries();
  const env = { ...USER_ENV, PATH: process.env["PATH"] ?? "", server, state: stateDir };
  return run(["bash", "-c", line], { env });
}

async function names(stateDir: string): Promise<string[]> {
  const { stdout } = await shellLine("$server token list --json --state-dir $state", stateDir);
  return JSON.parse(stdout).map(({ name }: { name: string }) => name);
}

describe.skipIf(!existsSync("/dev/full"))("a token that could not be shown is taken back", () => {
  const EXPECTED = /The token "lab" could not be shown: Cannot write the output: .*It was revoked\./;

  test.each(["token add lab", "token add lab --json"])("by %s without a server", async (command) => {
    using state = new TempFolder();
    const { exitCode, stderr } = await shellLine(`$server ${command} --state-dir $state > /dev/full`, state.path);
    expect(stderr.replaceAll('\\"', '"')).toMatch(EXPECTED);
    expect(exitCode).toBe(9);
    expect(await names(state.path)).toEqual([]);
    // And is in nobody's way.
    expect(await shellLine("$server token add lab --state-dir $state", state.path)).toMatchObject({ exitCode: 0 });
  });

  test.each(["token add lab", "console token add lab", "console"])("by %s beside a server", async (command) => {
    using repository = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path]);
    const line = `echo token add lab | $server ${command} --state-dir $state > /dev/full`;
    const { exitCode, stderr } = await shellLine(line, server.stateDir);
    if (command !== "console") {
      expect(stderr).toMatch(EXPECTED);
      expect(exitCode).toBe(9);
    }
    expect(await names(server.stateDir)).toEqual(["default"]);
  });

  test("when nobody reads the output any more", async () => {
    using state = new TempFolder();
    const line = "mkfifo $state/p; exec 3<>$state/p 4>$state/p 3<&-; $server token add lab --state-dir $state >&4";
    const { exitCode, stderr } = await shellLine(line, state.path);
    expect(stderr).toContain('The token "lab" could not be shown: Nobody reads the output. It was revoked.');
    expect(exitCode).toBe(9);
    expect(await names(state.path)).toEqual([]);
  });

  test("but never one that was there before", async () => {
    using state = new TempFolder();
    await shellLine("$server token add lab --state-dir $state", state.path);
    const again = await shellLine("$server token add lab --state-dir $state > /dev/full", state.path);
    expect(again.stderr).toContain('There is a token "lab" already.');
    expect(await names(state.path)).toEqual(["lab"]);
  });

  test("with the invite of the first start, which the next one shows", async () => {
    using repository = new TempFolder();
    using state = new TempFolder();
    const start = `$server --repository ${repository.path} --port 0 --json --state-dir $state`;
    const { stderr } = await shellLine(
      `${start} > /dev/full 2> ${state.path}/said & until grep -q invite ${state.path}/said; do sleep 0.05; done; kill $!; wait $!; cat ${state.path}/said >&2`,
      state.path,
    );
    expect(stderr).toContain("the first invite could not be shown.");
    expect(stderr).toContain("The next start shows another.");
    expect(await names(state.path)).toEqual([]);
    await using server = await ServerProcess.start(["--repository", repository.path], { stateDir: state.path });
    expect(server.events[0]?.["invite"]).toStartWith("csinvite1_");
  });
});
