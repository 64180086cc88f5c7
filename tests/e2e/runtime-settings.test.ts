/** The settings of the runtime that the programs give themselves, by beginning again in the same process. */
import { describe, expect, test } from "bun:test";
import { constants, copyFileSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { spawn } from "bun";
import { binaries } from "../support/binaries.ts";
import { run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const NO_LAST_COMPILER = "BUN_JSC_useFTLJIT=0";
const KEEP_MEMORY = "MIMALLOC_PURGE_DELAY=-1";

/** The environment with which a process has begun last, without what it was given first. */
function addedTo(pid: number, env: Readonly<Record<string, string>>): string[] {
  const given = new Set(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const now = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return now.filter((line) => line !== "" && !given.has(line)).sort();
}

describe.skipIf(process.platform !== "linux")("the runtime's settings", () => {
  test("of a server have no last compiler, and its process stays the same", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    expect(server.events[0]).toMatchObject({ pid: server.pid });
    expect(addedTo(server.pid, USER_ENV)).toEqual([NO_LAST_COMPILER]);
  });

  test("that the user has made stay", async () => {
    using folder = new TempFolder();
    const env = { ...USER_ENV, BUN_JSC_useFTLJIT: "1" };
    await using server = await ServerProcess.start(["-r", folder.path], { env });
    expect(addedTo(server.pid, env)).toEqual([]);
  });

  test("of a client that fetches files keep memory as well", async () => {
    using folder = new TempFolder();
    const name = `o "d'd  ä $x`; // the words stay what they were
    writeFileSync(folder.join(name), "a");
    await using server = await ServerProcess.start(["-r", folder.path]);
    const pipe = folder.join("pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    const { client } = await binaries();
    const command = [client, "get", name, "-o", pipe, "-s", server.address];
    await using child = spawn(command, { env: USER_ENV, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    // It waits for the reader of the pipe.
    await until(() => addedTo(child.pid, USER_ENV).length > 0);
    expect(addedTo(child.pid, USER_ENV)).toEqual([NO_LAST_COMPILER, KEEP_MEMORY]);
    openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    expect(await child.exited).toBe(0);
  });

  test("of a client that moves no files are as they were", async () => {
    using folder = new TempFolder();
    await using server = await ServerProcess.start(["-r", folder.path]);
    const { client } = await binaries();
    const command = [client, "watch", "--json", "-s", server.address];
    await using child = spawn(command, { env: USER_ENV, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    await server.event("joined");
    expect(addedTo(child.pid, USER_ENV)).toEqual([]);
  });

  test("are not made where a descriptor that the user has opened would be lost", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "content");
    await using server = await ServerProcess.start(["-r", folder.path, "--plaintext"]);
    const local = `${USER_ENV["XDG_STATE_HOME"]}/commserver/local/${server.port}.json`;
    writeFileSync(folder.join("token"), JSON.parse(readFileSync(local, "utf8")).token);
    const { client } = await binaries();
    const flags = `--plaintext -s ${server.address}`;
    for (const path of [" /dev/fd/3", " /proc/self/fd/3", "=/dev/fd/3"]) {
      const script = `cat ${folder.join("token")} | { exec 3<&0 0</dev/null; ${client} get a -o - --token-file${path} ${flags}; }`;
      expect(await run(["sh", "-c", script])).toEqual({ exitCode: 0, stdout: "content", stderr: "" });
    }
  });

  test("can't be made by a program whose file is gone, which works without them and says nothing of it", async () => {
    using folder = new TempFolder();
    const { client } = await binaries();
    const copy = folder.join("client");
    copyFileSync(client, copy);
    const script = `exec 3< ${copy}; rm ${copy}; exec /proc/self/fd/3 get a -s 127.0.0.1:1`;
    const { exitCode, stderr } = await run(["sh", "-c", script]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("nobody listens there");
    expect(stderr).not.toContain("arning");
  });
});
