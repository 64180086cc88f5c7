/** Settings from the environment and from files, by the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { type Finished, run, ServerProcess, USER_ENV } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = join(import.meta.dir, "../../repository");

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A folder for files of settings, with one in its usual place. */
function configFolder(name: string, toml: string): TempFolder {
  const folder = new TempFolder();
  mkdirSync(folder.join("commserver"));
  writeFileSync(folder.join("commserver", name), toml);
  return folder;
}

async function client(env: Record<string, string>, ...args: string[]): Promise<Finished> {
  const programs = await binaries();
  return run([programs.client, ...args], { env: { ...USER_ENV, ...env } });
}

describe("the server", () => {
  test("takes its folder as a word, and its settings from file and environment", async () => {
    using folder = configFolder("server.toml", 'max-clients = 7\nport = 1\njson = true\nhost = "127.0.0.1"\n');
    const programs = await binaries();
    const env = { ...USER_ENV, XDG_CONFIG_HOME: folder.path, COMMSERVER_PORT: "0", COMMSERVER_WRITABLE: "true" };
    await using server = new Program([programs.server, REPOSITORY, "--state-dir", folder.join("s"), "--no-writable"], {
      env,
    });
    expect(await server.event("listening")).toMatchObject({ repository: REPOSITORY, maxClients: 7, writable: false });
    server.signal("SIGTERM");
    expect((await server.ended()).exitCode).toBe(0);
  });

  test.each([
    [["./nowhere"], 6, 'The repository folder "./nowhere" does not exist.'],
    [["nowhere"], 2, 'Unknown command or folder "nowhere".'],
    [["tokn"], 2, 'Unknown command or folder "tokn". Did you mean "token"?'],
    [["/tmp", "more"], 2, 'Unexpected argument "more".'],
    [["/tmp", "-r", "/tmp"], 2, "DIR and --repository exclude each other."],
  ])("refuses %j", async (args, exitCode, words) => {
    using folder = new TempFolder();
    const programs = await binaries();
    const finished = await run([programs.server, ...args, "--state-dir", folder.path], { cwd: folder.path });
    expect(finished).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(words) });
  });

  test("names the line of a bad value, and takes no other file when one is named", async () => {
    using folder = configFolder("server.toml", "max-clients = 7\n\nport = 70000\n");
    const programs = await binaries();
    const env = { ...USER_ENV, XDG_CONFIG_HOME: folder.path };
    const refused = await run([programs.server, REPOSITORY], { env });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("server.toml, line 3: --port takes a whole number from 0 to 65535");
    const shown = await run([programs.server, "config", "--config", "/dev/null", "--json"], { env });
    expect(JSON.parse(shown.stdout)).toMatchObject({ file: "/dev/null", settings: { port: { value: "5050" } } });
  });

  test("hears of a variable that looks mistyped", async () => {
    const programs = await binaries();
    const shown = await run([programs.server, "config"], { env: { ...USER_ENV, COMMSERVER_MAX_CLIENT: "5" } });
    expect(shown.stderr).toBe("COMMSERVER_MAX_CLIENT is not a setting. Did you mean COMMSERVER_MAX_CLIENTS?\n");
  });

  test("prints settings that it reads again", async () => {
    using folder = new TempFolder();
    const programs = await binaries();
    const env = { ...USER_ENV, COMMSERVER_REPOSITORY: 'a "b" \\c', COMMSERVER_OPEN: "yes" };
    const { stdout } = await run([programs.server, "config"], { env });
    writeFileSync(folder.join("s.toml"), stdout);
    const again = await run([programs.server, "config", "--json", "--config", folder.join("s.toml")]);
    expect(JSON.parse(again.stdout).settings).toMatchObject({
      repository: { value: 'a "b" \\c', from: "file" },
      open: { value: true, from: "file" },
      quota: { value: null, from: "default" },
    });
  });
});

describe("the client", () => {
  test("finds its server, its command's settings and no secret in its file", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    using folder = configFolder("client.toml", `server = "${server.address}"\n[list]\njson = true\n`);
    const env = { XDG_CONFIG_HOME: folder.path };
    expect((await client(env, "ping")).stdout).toMatch(/^\d round trips: /);
    const { stdout } = await client(env, "list", "welcome.txt");
    expect(JSON.parse(stdout)).toMatchObject([{ path: "welcome.txt" }]);
    writeFileSync(folder.join("commserver/client.toml"), 'token = "a:b"');
    const refused = await client(env, "ping");
    expect(refused.stderr).not.toContain("a:b");
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("COMMSERVER_TOKEN") });
  });

  test("shows that a secret is there, and not the secret", async () => {
    const { stdout } = await client({ COMMSERVER_TOKEN: "laptop:hidden" }, "config");
    expect(stdout).toContain("# COMMSERVER_TOKEN: ***");
    expect(stdout).not.toContain("hidden");
  });

  test("a typed flag comes before a configured one that excludes it, and output to a stream has no use for others", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const env = { COMMSERVER_SERVER: server.address, COMMSERVER_OVERWRITE: "true", COMMSERVER_JSON: "true" };
    expect((await client(env, "get", "welcome.txt", "-o", "-")).stdout).toStartWith("Welcome to CommServer.");
    using folder = new TempFolder();
    writeFileSync(folder.join("welcome.txt"), "mine");
    const { exitCode } = await client(env, "get", "welcome.txt", "-o", `${folder.path}/`, "--skip-existing");
    expect(exitCode).toBe(0);
    expect(await Bun.file(folder.join("welcome.txt")).text()).toBe("mine");
  });

  test("a variable for its server leads no operator astray", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const programs = await binaries();
    const env = {
      ...USER_ENV,
      COMMSERVER_SERVER: "192.0.2.1",
      COMMSERVER_WAIT: "1",
      COMMSERVER_STATE_DIR: server.stateDir,
    };
    const status = await run([programs.server, "console", "status"], { env });
    expect(status).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("You are Operator") });
  });
});
