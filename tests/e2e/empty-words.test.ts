/** Words that hold nothing, as of a script's variable that was never set. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

describe("a path that is empty is a mistake, and no folder", () => {
  test.each<[string[], string]>([
    [["put", ""], '"" names nothing to send; for the current folder: put .'],
    [["put", "here.txt", ""], '"" names nothing to send; for the current folder: put .'],
    [["get", ""], '"" is not a path in the repository: it is empty.'],
    [["get", "there.txt", ""], '"" is not a path in the repository: it is empty.'],
    [["list", ""], '"" is not a path in the repository: it is empty.'],
    [["remove", "-r", ""], '"" is not a path in the repository: it is empty.'],
    [["rename", "", "other.txt"], '"" is not a path in the repository: it is empty.'],
    [["rename", "there.txt", ""], '"" is not a path in the repository: it is empty.'],
    [["digest", ""], '"" is not a path in the repository: it is empty.'],
    [["watch", ""], '"" is not a path in the repository: it is empty.'],
    [["get", "there.txt", "--output", ""], '--output "" is not a name for a file.'],
    [["get", "there.txt", "--as", ""], '--as "" is not a name below the target folder: it is empty.'],
    [["put", "here.txt", "--as", ""], '--as "" is not a name below the target folder: it is empty.'],
  ])("%j", async (args, words) => {
    using repository = new TempFolder();
    using folder = new TempFolder();
    writeFileSync(repository.join("there.txt"), "there");
    writeFileSync(folder.join("here.txt"), "here");
    await using server = await ServerProcess.start(["--repository", repository.path, "--writable"]);
    const { exitCode, stdout, stderr } = await runClient([...args, "--server", server.address], { cwd: folder.path });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(words);
    expect([readdirSync(repository.path), readdirSync(folder.path)]).toEqual([["there.txt"], ["here.txt"]]);
  });

  test('put "" in the shell, which goes on', async () => {
    using repository = new TempFolder();
    using folder = new TempFolder();
    writeFileSync(folder.join("here.txt"), "here");
    await using server = await ServerProcess.start(["--repository", repository.path, "--writable"]);
    const stdin = 'put ""\nput here.txt\n';
    const { stdout, stderr } = await runClient(["--server", server.address], { cwd: folder.path, stdin });
    expect(stdout + stderr).toContain('"" names nothing to send');
    expect(readdirSync(repository.path)).toEqual(["here.txt"]);
  });
});

describe("a state folder that is none, as /dev/null", () => {
  test("knows no server, and says where something should be kept in it", async () => {
    using repository = new TempFolder();
    await using server = await ServerProcess.start(["--repository", repository.path, "--open"]);
    const none = ["--state-dir", "/dev/null"];
    expect(await runClient(["servers", "--json", ...none])).toMatchObject({ exitCode: 0, stdout: "[]\n" });
    const env = { XDG_STATE_HOME: repository.path };
    const seen = await runClient(["list", "--accept-new", "--server", server.address, ...none], { env });
    expect(seen.exitCode).toBe(0);
    expect(seen.stderr).toContain("can't be saved");
  });

  test("is no place to join a server in", async () => {
    using state = new TempFolder();
    const { server } = await binaries();
    const made = Bun.spawnSync([server, "token", "add", "lab", "--json", "--state-dir", state.path], { env: {} });
    const { invite } = JSON.parse(made.stdout.toString());
    const { exitCode, stderr } = await runClient(["join", invite, "--state-dir", "/dev/null"]);
    expect(exitCode).toBe(9);
    expect(stderr).toContain("/dev/null");
  });
});
