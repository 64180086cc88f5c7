import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { frame } from "../support/frames.ts";
import { type Finished, run, runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

/** For peers that speak no TLS and have no token. */
const PLAIN = ["--plaintext", "--open"];

const REPOSITORY = `${import.meta.dir}/../../repository`;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** Start a server that is expected to fail at once. */
async function failedStart(...args: string[]): Promise<Finished> {
  const { server } = await binaries();
  return run([server, ...args]);
}

/** As failedStart(), and without the superuser's right to read and write everywhere. */
async function unprivilegedStart(...args: string[]): Promise<Finished> {
  const { server } = await binaries();
  const drop = process.getuid?.() === 0 ? ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
  return run([...drop, server, ...args]);
}

describe("starting", () => {
  test("the first JSON line tells where it listens and what it serves", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    expect(server.port).toBeGreaterThan(0);
    expect(server.events[0]).toMatchObject({
      event: "listening",
      host: "::",
      port: expect.any(Number),
      tls: true,
      fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
      invite: expect.stringMatching(/^csinvite1_[A-Za-z0-9_-]+$/),
      pid: server.pid,
    });
  });

  test("it is reached over IPv4, IPv6 and by name", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
      expect((await runClient(["send", "x", "-s", `${host}:${server.port}`])).stdout).toBe("x ACK\n");
    }
  });

  test("without --json people read what is served, where, and what to type", async () => {
    const { server: program } = await binaries();
    using folder = new TempFolder();
    const child = Bun.spawn([program, "-r", REPOSITORY, "-p", "0", "--state-dir", folder.path], {
      env: USER_ENV,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const log = new Response(child.stderr).text();
    let text = "";
    const reading = (async () => {
      for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) text += piece;
    })();
    await until(() => text.includes("Connect"));
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await reading;
    expect(text).toMatch(/Serving +\S+\/repository \(read-only\)/);
    expect(text).toMatch(/commserver-client --server localhost:\d+/);
    expect(text).toMatch(/Access +with a token\n +Identity +SHA256:/);
    // It is no terminal: what goes into a log holds no secret.
    expect(text).not.toContain("csinvite1_");
    expect(text).not.toContain("\u001b");
    // Where no terminal is, each line of the log is JSON: an event as --json has it, its level, and its words.
    const lines = (await log)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      event: "listening",
      level: "notice",
      summary: expect.stringContaining("Listening at"),
    });
    expect(lines.at(-1)).toMatchObject({ event: "stopping", level: "notice", summary: "The server is shutting down." });
    expect(JSON.stringify(lines)).not.toContain("csinvite1_");
  });

  test("it goes on serving when nobody reads its output any more", async () => {
    const { server: program } = await binaries();
    using folder = new TempFolder();
    const child = Bun.spawn([program, "-r", REPOSITORY, "-p", "0", "--json", "--state-dir", folder.path], {
      env: USER_ENV,
      stdin: "ignore",
      stdout: "pipe",
    });
    const reader = child.stdout.getReader();
    const { port } = JSON.parse(new TextDecoder().decode((await reader.read()).value));
    await reader.cancel();
    for (const text of ["1", "2", "3"]) {
      expect((await runClient(["send", text, "-s", `127.0.0.1:${port}`])).stdout).toBe(`${text} ACK\n`);
    }
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test("a busy port is one line with exit code 10", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    using folder = new TempFolder();
    const args = ["-r", REPOSITORY, "-p", String(server.port), "--state-dir", folder.path];
    for (const host of [[], ["--host", "127.0.0.1"]]) {
      const { exitCode, stdout, stderr } = await failedStart(...args, ...host);
      expect(exitCode).toBe(10);
      expect(stdout).toBe("");
      expect(stderr).toContain("the port is in use by another program");
      expect(stderr).toContain("--port");
      expect(stderr.trim().split("\n")).toHaveLength(2);
    }
  });

  test("an address that this machine has not is exit code 10", async () => {
    using folder = new TempFolder();
    const { exitCode, stderr } = await failedStart(
      "-r",
      REPOSITORY,
      "-p",
      "0",
      "--host",
      "192.0.2.1",
      "--state-dir",
      folder.path,
    );
    expect(exitCode).toBe(10);
    expect(stderr).toContain("this machine has no such address");
  });

  test("a repository that is missing, or no folder, is exit code 6", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("file"), "");
    for (const name of ["nowhere", "file"]) {
      const { exitCode, stderr } = await failedStart("-r", folder.join(name), "-p", "0", "--state-dir", folder.path);
      expect(exitCode).toBe(6);
      expect(stderr).toContain(folder.join(name));
      expect(stderr).toContain("--repository");
      expect(stderr).not.toContain("    at ");
    }
  });

  test("a state folder that can't be made is exit code 9, and names the flag", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("file"), "");
    const { exitCode, stderr } = await failedStart(
      "-r",
      REPOSITORY,
      "-p",
      "0",
      "--state-dir",
      folder.join("file", "state"),
    );
    expect(exitCode).toBe(9);
    expect(stderr).toContain("--state-dir");
  });

  test("what may not be read or written is reported in one line", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("closed"), { mode: 0 });
    const repository = await unprivilegedStart("-r", folder.join("closed"), "-p", "0", "--state-dir", folder.path);
    expect(repository.exitCode).toBe(9);
    expect(repository.stderr).toContain("No permission to read the repository folder");
    const stateDir = folder.join("closed", "state");
    const state = await unprivilegedStart("-r", REPOSITORY, "-p", "0", "--state-dir", stateDir);
    expect(state.exitCode).toBe(9);
    expect(state.stderr).toContain("--state-dir");
    for (const { stderr } of [repository, state]) expect(stderr).not.toContain("    at ");
    chmodSync(folder.join("closed"), 0o700);
  });

  test("two servers can't share a state folder", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const { exitCode, stderr } = await failedStart("-r", REPOSITORY, "-p", "0", "--state-dir", server.stateDir);
    expect(exitCode).toBe(8);
    expect(stderr).toContain("Another server uses");
    expect((await runClient(["send", "x", "-s", server.address])).stdout).toBe("x ACK\n");
  });

  test.each([
    [["--max-clients", "0"], "--max-clients takes a whole number from 1"],
    [["--port", "70000"], "--port takes a whole number from 0 to 65535"],
    [["--colour"], "Unknown flag --colour"],
    [["serve", "folder", "stray"], 'Unexpected argument "stray"'],
  ])("%j is a usage error", async (args, words) => {
    const { exitCode, stderr } = await failedStart(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });

  test("a hostile .env and bunfig.toml in its folder change nothing", async () => {
    using folder = new TempFolder();
    await Bun.write(
      folder.join(".env"),
      "BUN_OPTIONS=--preload=./evil.ts\nXDG_STATE_HOME=/nowhere/at/all\nNO_COLOR=1\n",
    );
    await Bun.write(folder.join("bunfig.toml"), 'preload = ["./evil.ts"]\n[run]\npreload = ["./evil.ts"]\n');
    await Bun.write(folder.join("evil.ts"), `require("node:fs").writeFileSync("${folder.join("owned")}", "yes");`);
    await using server = await ServerProcess.start(["-r", REPOSITORY], { cwd: folder.path });
    expect((await runClient(["list", "-s", server.address], { cwd: folder.path })).exitCode).toBe(0);
    expect(await Bun.file(folder.join("owned")).exists()).toBe(false);
  });
});

describe("stopping", () => {
  test.each(["SIGINT", "SIGTERM", "SIGQUIT"] as const)("%s ends it in order with exit code 0", async (signal) => {
    await using server = await ServerProcess.start([...PLAIN, "-r", REPOSITORY]);
    await using peer = await RawPeer.admitted(server.port);
    server.signal(signal);
    expect((await peer.next("GOAWAY")).json.code).toBe(13);
    peer.abort();
    expect(await server.exited()).toBe(0);
    expect(server.events.map(({ event }) => event)).toContainAllValues(["listening", "joined", "stopping", "left"]);
  });

  test("a second signal ends it at once, though a transfer is under way", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("big"), new Uint8Array(8_000_000));
    await using server = await ServerProcess.start([...PLAIN, "-r", folder.path, "--stop-timeout", "3600"]);
    await using peer = await RawPeer.admitted(server.port, { credit: 10 });
    peer.send(frame("OPEN", { method: "get" }, 1));
    peer.send(frame("DATA", Buffer.from('{"id":0,"path":"big"}\n'), 1));
    await peer.next("DATA");
    server.signal("SIGTERM");
    await peer.next("GOAWAY");
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(130);
  });

  test("after kill -9 the next start closes the open rows and goes on counting", async () => {
    using state = new TempFolder();
    {
      await using server = await ServerProcess.start([...PLAIN, "-r", REPOSITORY], { stateDir: state.path });
      await using _ = await RawPeer.admitted(server.port);
      server.signal("SIGKILL");
      await server.exited();
    }
    await using server = await ServerProcess.start([...PLAIN, "-r", REPOSITORY], { stateDir: state.path });
    const { stdout } = await runClient(["status", "--json", "--plaintext", "-s", server.address]);
    expect(JSON.parse(stdout)).toMatchObject({
      self: { name: "Client02" },
      sessions: [
        { name: "Client02", endedAt: null },
        { name: "Client01", endedAt: expect.any(Number), reason: "crash" },
      ],
    });
    const { server: program } = await binaries();
    expect((await run([program, "console", "status", "--state-dir", state.path])).exitCode).toBe(0);
  });
});
