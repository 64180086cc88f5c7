/** State folders that others on the machine can read or change, on disks that keep no rights and elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { ModelessDisk, missingModeless } from "../support/modeless-disk.ts";
import { OtherUser } from "../support/other-user.ts";
import { run, runClient, ServerProcess } from "../support/processes.ts";
import { stateNames } from "../support/state-names.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;
const isRoot = process.getuid?.() === 0;
const MALLORY = 54_323;

/** The warnings of a server that has started. */
async function warningsOf(server: ServerProcess, count: number): Promise<string[]> {
  const warnings: string[] = [];
  while (warnings.length < count) warnings.push((await server.event("warning"))["message"]);
  return warnings;
}

/** That there are no warnings: they come before what anybody does. */
async function hasNoWarning(server: ServerProcess): Promise<void> {
  await runClient(["status", "-s", server.address]);
  await server.event("joined");
  expect(server.events.filter(({ event }) => event === "warning")).toEqual([]);
}

describe.skipIf(isSkipped(missingModeless))(namedWhy("on a disk that keeps no rights", missingModeless), () => {
  let mallory: OtherUser;

  beforeAll(async () => {
    mallory = await OtherUser.of(MALLORY);
  }, 180_000);

  afterAll(() => mallory?.[Symbol.dispose]());

  test("a server warns of its state folder and its key, and makes no socket for operators", async () => {
    using disk = new ModelessDisk();
    const stateDir = disk.join("state");
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir });
    const [folder, key, socket] = await warningsOf(server, 3);
    expect(folder).toContain(`can change the state folder "${stateDir}" (its mode is 0777)`);
    expect(folder).toContain("--state-dir");
    expect(key).toContain(`can read this server's key, "${stateDir}/identity.pem"`);
    expect(socket).toContain("No operator's socket");
    expect(readdirSync(stateDir).filter((name) => lstatSync(join(stateDir, name)).isSocket())).toEqual([]);
    const told = await mallory.run("client", [
      "status",
      "-s",
      `unix:${stateDir}/operator.sock`,
      "--state-dir",
      "/none",
    ]);
    expect(told).toMatchObject({ exitCode: 3, stdout: "" });
    // It serves all the same.
    expect(await runClient(["list", "-s", server.address])).toMatchObject({ exitCode: 0 });
  });

  test("tells so too to who makes tokens there, or asks for the identity", async () => {
    using disk = new ModelessDisk();
    const { server } = await binaries();
    for (const command of [["token", "add", "laptop"], ["identity"]]) {
      const { exitCode, stderr } = await run([server, ...command, "--state-dir", disk.join("state")]);
      expect(exitCode).toBe(0);
      expect(stderr).toContain("can change the state folder");
    }
  });

  test("a server does not leave its user's token there", async () => {
    using disk = new ModelessDisk();
    using state = new TempFolder();
    const env = { XDG_STATE_HOME: disk.path };
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: state.path, env });
    const [warning] = await warningsOf(server, 1);
    expect(warning).toContain("No invite for this machine: Others on this machine could read");
    expect(stateNames(disk.join("commserver/local"))).toEqual([]);
  });

  test("a client keeps what it joins, says who can read it, and says so again when it is used", async () => {
    using disk = new ModelessDisk();
    const flags = ["--state-dir", disk.join("client")];
    await using server = await ServerProcess.start(["-r", REPOSITORY, "--host", "127.0.0.1"]);
    const joined = await runClient(["join", server.events[0]?.["invite"], "--name", "lab", ...flags]);
    expect(joined).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Joined lab") });
    const warning = `others on this machine can read the token in "${disk.join("client/servers/lab.json")}"`;
    expect(joined.stderr).toContain(warning);
    const listed = await runClient(["list", "-s", "lab", ...flags]);
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("welcome.txt") });
    expect(listed.stderr).toContain(warning);
  });

  test("files come and go as ever, also in parts that are gone on with", async () => {
    using disk = new ModelessDisk();
    for (const folder of ["repository", "here"]) mkdirSync(disk.join(folder));
    await Bun.write(disk.join("here/big"), new Uint8Array(3_000_000));
    await Bun.write(disk.join("here/small"), "x");
    await using server = await ServerProcess.start(["-r", disk.join("repository"), "--writable", "--keep-free", "0"]);
    const args = ["-s", server.address, "--overwrite"];
    for (let turn = 0; turn < 2; turn++) {
      await Bun.write(disk.join("here/small"), `x${turn}`);
      expect(await runClient(["put", "big", "small", ...args], { cwd: disk.join("here") })).toMatchObject({
        exitCode: 0,
      });
      expect(await runClient(["get", ".", ...args], { cwd: disk.join("here") })).toMatchObject({ exitCode: 0 });
    }
    expect(readdirSync(disk.join("repository")).sort()).toEqual(["big", "small"]);
  });
});

describe.if(process.platform !== "win32")("a state folder that is there already", () => {
  test.each(["700", "750", "755"])(
    "with the mode %s is fine: its files and its socket are their owner's alone",
    async (mode) => {
      using folder = new TempFolder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.join("state"));
      chmodSync(folder.join("state"), Number.parseInt(mode, 8));
      await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: folder.join("state") });
      await hasNoWarning(server);
      const open = readdirSync(folder.join("state")).filter(
        (name) => (statSync(folder.join("state", name)).mode & 0o077) !== 0,
      );
      expect(open).toEqual([]);
      expect(existsSync(folder.join("state/operator.sock"))).toBe(true);
    },
  );

  test.each(["777", "775", "1777"])("with the mode %s gets no socket, and a warning", async (mode) => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.join("state"));
    chmodSync(folder.join("state"), Number.parseInt(mode, 8));
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: folder.join("state") });
    const [change, socket] = await warningsOf(server, 2);
    expect(change).toContain("can change the state folder");
    expect(socket).toContain("No operator's socket");
    expect(existsSync(folder.join("state/operator.sock"))).toBe(false);
    const { server: program } = await binaries();
    const told = await run([program, "console", "status", "--state-dir", folder.join("state")]);
    expect(told).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("others can change its folder") });
  });

  test("with the mode 777 in a folder that others can't enter is fine", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("state"));
    chmodSync(folder.join("state"), 0o777);
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: folder.join("state") });
    await hasNoWarning(server);
    expect(existsSync(folder.join("state/operator.sock"))).toBe(true);
  });

  test("with a key that others can read is told", async () => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    const stateDir = folder.join("state");
    const { server: program } = await binaries();
    await run([program, "identity", "--state-dir", stateDir]);
    chmodSync(stateDir, 0o755);
    chmodSync(join(stateDir, "identity.pem"), 0o644);
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir });
    const [key] = await warningsOf(server, 1);
    expect(key).toContain(`"${stateDir}/identity.pem" (its mode is 0644)`);
  });

  test.skipIf(!isRoot)(
    isRoot
      ? "of another user gets no socket, and a warning"
      : "of another user (skipped: only root may give files to others)",
    async () => {
      using folder = new TempFolder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.join("state"));
      using mallory = await OtherUser.of(MALLORY);
      mallory.own(folder.join("state"));
      await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: folder.join("state") });
      const [change, socket] = await warningsOf(server, 2);
      expect(change).toContain("belongs to another user, who can change it");
      expect(socket).toContain("No operator's socket");
      expect(existsSync(folder.join("state/operator.sock"))).toBe(false);
    },
  );
});

describe.skipIf(!isRoot || process.platform !== "linux")("the operator's socket", () => {
  test("hears nobody else, even where its rights let everybody in", async () => {
    using folder = new TempFolder();
    chmodSync(folder.path, 0o755);
    mkdirSync(folder.join("state"), { mode: 0o755 });
    using mallory = await OtherUser.of(MALLORY);
    await using server = await ServerProcess.start(["-r", REPOSITORY], { stateDir: folder.join("state") });
    const args = ["status", "-s", `unix:${folder.join("state/operator.sock")}`, "--state-dir", "/none"];
    expect(await mallory.run("client", args)).toMatchObject({ exitCode: 3, stdout: "" });
    chmodSync(folder.join("state/operator.sock"), 0o777);
    expect(await mallory.run("client", args)).toMatchObject({ exitCode: 3, stdout: "" });
    expect(await runClient(args)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Operator") });
    expect(server.events.filter(({ role }) => role === "operator")).toEqual([]);
  });
});
