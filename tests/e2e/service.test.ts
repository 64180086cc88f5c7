/** A server without a terminal: its log, and SIGHUP, at which it reads its files again. By the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binaries } from "../support/binaries.ts";
import { Authority, noOpenssl, opensslTest } from "../support/openssl.ts";
import { run, runClient } from "../support/processes.ts";
import { Program } from "../support/program.ts";
import { Screen } from "../support/screen.ts";
import { Service } from "../support/service.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = join(import.meta.dir, "../../repository");

beforeAll(async () => {
  await binaries();
}, 180_000);

async function startService(folder: TempFolder, ...args: string[]): Promise<Service> {
  return Service.start(["-r", REPOSITORY, "--state-dir", folder.join("state"), ...args], folder.join("log"));
}

async function makeToken(folder: TempFolder, name: string): Promise<string> {
  const { server } = await binaries();
  const made = await run([server, "token", "add", name, "--state-dir", folder.join("state"), "--json"]);
  return JSON.parse(made.stdout).token;
}

describe("SIGHUP", () => {
  test("reads the tokens again: the sessions of those that are gone end, all others stay", async () => {
    using folder = new TempFolder();
    await using service = await startService(folder);
    const tokens = folder.join("state", "tokens.json");
    const kept = await makeToken(folder, "kept");
    const saved = readFileSync(tokens, "utf8");
    const gone = await makeToken(folder, "gone");
    const { client } = await binaries();
    const talk = [client, "--server", service.address, "--accept-new", "--state-dir", folder.join("c")];
    await using stays = new Screen(talk, { cwd: folder.path, env: { COMMSERVER_TOKEN: kept } });
    await stays.prompts("kept (Client01)> ");
    await using leaves = new Screen(talk, { cwd: folder.path, env: { COMMSERVER_TOKEN: gone } });
    await leaves.prompts("gone (Client02)> ");
    writeFileSync(tokens, saved);
    service.signal("SIGHUP");
    expect(await service.logs("reloaded")).toMatchObject({ changed: ["tokens"], level: "notice" });
    expect(await leaves.exited).toBe(5);
    stays.type("still here\r");
    await stays.shows("still here ACK");
    service.signal("SIGHUP");
    expect(await service.logs("reloaded", 2)).toMatchObject({ changed: [] });
    writeFileSync(tokens, "{");
    service.signal("SIGHUP");
    await service.logs("reloaded", 3);
    expect(await service.logs("warning")).toMatchObject({
      message: expect.stringContaining("The list of tokens can't be read again, and stays as it was:"),
    });
    stays.type("and now\r");
    await stays.shows("and now ACK");
  });

  test.skipIf(noOpenssl !== undefined)(
    opensslTest("shows new connections the new certificate, and ends no session"),
    async () => {
      using authority = new Authority();
      using folder = new TempFolder();
      const files = { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
      const install = ({ cert, key }: { cert: string; key: string }) => {
        copyFileSync(cert, files.cert);
        copyFileSync(key, files.key);
      };
      install(authority.leaf());
      await using service = await startService(folder, "--cert", files.cert, "--key", files.key);
      const env = { COMMSERVER_TOKEN: await makeToken(folder, "t") };
      const identity = async () => {
        const { stdout } = Bun.spawnSync(
          ["openssl", "s_client", "-connect", service.address, "-alpn", "commserver/1", "-showcerts"],
          { stdin: "ignore", stderr: "ignore" },
        );
        return /-----BEGIN CERTIFICATE-----[^-]+/.exec(stdout.toString())?.[0];
      };
      const { client } = await binaries();
      const talk = [client, "--server", service.address, "--ca", authority.ca, "--state-dir", folder.join("c")];
      await using screen = new Screen(talk, { cwd: folder.path, env });
      await screen.prompts("t (Client01)> ");
      const before = await identity();
      install(authority.leaf());
      service.signal("SIGHUP");
      expect(await service.logs("reloaded")).toMatchObject({ changed: ["certificate"] });
      const after = await identity();
      expect(before).toBeString();
      expect(after).toBeString();
      expect(after).not.toBe(before as string);
      expect(readFileSync(files.cert, "utf8")).toContain(String(after));
      screen.type("still here\r");
      await screen.shows("still here ACK");
      const list = ["list", "--server", service.address, "--ca", authority.ca];
      expect((await runClient(list, { env: { XDG_STATE_HOME: folder.join("x"), ...env } })).exitCode).toBe(0);
      // A faulty one changes nothing.
      writeFileSync(files.key, "no key");
      service.signal("SIGHUP");
      expect(await service.logs("reloaded", 2)).toMatchObject({ changed: [] });
      expect(await service.logs("warning")).toMatchObject({ level: "warn" });
      expect(await identity()).toBe(after as string);
    },
  );

  test("reads the settings again: some hold at once, the others are named in a warning", async () => {
    using folder = new TempFolder();
    const file = folder.join("server.toml");
    const set = (text: string) => writeFileSync(file, text);
    set('log-level = "info"\nmax-clients = 3\n');
    await using service = await startService(folder, "--config", file);
    set('log-level = "warn"\nstop-timeout = 2\nmax-clients = 4\nwritable = true\n');
    service.signal("SIGHUP");
    const message = "Changed, but read only at the start: writable, max-clients. Restart the server.";
    expect(await service.logs("warning")).toMatchObject({ message });
    // What the new level leaves out is not in the log.
    set('log-level = "notice"\nstop-timeout = 2\nmax-clients = 3\n');
    service.signal("SIGHUP");
    expect(await service.logs("reloaded")).toMatchObject({ changed: ["log-level"] });
    set("max-cleints = 3\n");
    service.signal("SIGHUP");
    expect(await service.logs("reloaded", 2)).toMatchObject({ changed: [] });
    expect((await service.logs("warning", 2))["message"]).toStartWith(
      `The settings can't be read again, and stay as they were: ${file}, line 1: Unknown setting "max-cleints".`,
    );
  });

  test("continues the log in a new file when the old one was moved away", async () => {
    using folder = new TempFolder();
    await using service = await startService(folder);
    renameSync(folder.join("log"), folder.join("log.1"));
    service.signal("SIGHUP");
    await service.logs("reloaded");
    expect(service.records(folder.join("log.1")).map(({ event }) => event)).toEqual(["listening"]);
    service.signal("SIGTERM");
    expect(await service.exited).toBe(0);
    expect(service.records().map(({ event }) => event)).toEqual(["reloaded", "stopping"]);
  });

  test("of a terminal that closes stops the server", async () => {
    using folder = new TempFolder();
    const { server } = await binaries();
    await using screen = new Screen([server, "-r", REPOSITORY, "-p", "0", "--state-dir", folder.path], { cwd: "/" });
    await screen.prompts("server> ");
    process.kill(screen.pid, "SIGHUP");
    expect(await screen.exited).toBe(0);
  });
});

describe("the log", () => {
  test("leaves out what is less grave than --log-level, beside events that are all there", async () => {
    using folder = new TempFolder();
    const { server } = await binaries();
    const flags = ["-r", REPOSITORY, "-p", "0", "--json", "--state-dir", folder.join("s"), "--open"];
    const log = ["--log-file", folder.join("log"), "--log-level", "notice", "--log-format", "text"];
    await using program = new Program([server, ...flags, ...log]);
    const { port } = await program.event("listening");
    await runClient(["ping", "--count", "1", "--server", `127.0.0.1:${port}`, "--accept-new"]);
    await program.event("left");
    program.signal("SIGTERM");
    expect((await program.ended()).exitCode).toBe(0);
    const lines = readFileSync(folder.join("log"), "utf8").trim().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^\S+Z notice Listening at /),
      expect.stringMatching(/^\S+Z notice The server is shutting down\.$/),
    ]);
  });

  test.each([
    [["--log-level", "warning"], '--log-level takes error, warn, notice, info, not "warning". Did you mean "warn"?'],
    [["--log-format", "xml"], '--log-format takes auto, text, json, not "xml".'],
  ])("refuses %j", async (args, words) => {
    const { server } = await binaries();
    const refused = await run([server, ...args]);
    expect(refused.stderr).toContain(words);
    expect(refused.exitCode).toBe(2);
  });

  test("that can't be opened keeps the server from starting", async () => {
    using folder = new TempFolder();
    const { server } = await binaries();
    const state = folder.join("state");
    const args = ["-r", REPOSITORY, "-p", "0", "--state-dir", state, "--log-file", folder.join("none/log")];
    const refused = await run([server, ...args]);
    expect(refused.stderr).toContain("none/log");
    expect(refused.exitCode).toBe(9);
    expect(existsSync(state)).toBe(false);
  });

  test("in the repository is not served", async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a.txt"), "a");
    const state = new TempFolder();
    using _ = state;
    const args = ["-r", folder.path, "--state-dir", state.join("s"), "--open"];
    await using service = await Service.start(args, folder.join("server.log"));
    const listed = await runClient(["list", "--json", "--server", service.address, "--accept-new"]);
    expect(JSON.parse(listed.stdout).map(({ path }: { path: string }) => path)).toEqual(["a.txt"]);
    expect(await service.logs("warning")).toMatchObject({ message: expect.stringContaining("server.log") });
  });
});
