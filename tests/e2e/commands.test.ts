import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { run, runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;
const VERSION = (await Bun.file(`${import.meta.dir}/../../package.json`).json()).version as string;

/** For tests that only read. */
let server: ServerProcess;

beforeAll(async () => {
  await binaries();
  server = await ServerProcess.start(["-r", REPOSITORY]);
}, 180_000);
afterAll(() => server[Symbol.asyncDispose]());

describe("commserver-client", () => {
  test("list prints people's lines, and one JSON array with --json", async () => {
    const plain = await runClient(["list", "-s", server.address]);
    expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^ +443 B {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}welcome\.txt$/m);
    const json = JSON.parse((await runClient(["list", "--json", "-s", server.address])).stdout);
    expect(json.map(({ path }: { path: string }) => path)).toContain("docs/grüße.txt");
    expect(JSON.parse((await runClient(["list", "none*", "--json", "-s", server.address])).stdout)).toEqual([]);
  });

  test("get fetches several files into a folder, and tells each", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("into"));
    const args = ["get", "welcome.txt", "empty.txt", "docs/two machines.png", "-o", "into", "-s", server.address];
    const { exitCode, stdout, stderr } = await runClient(args, { cwd: folder.path });
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")).toHaveLength(4);
    expect(stderr).toMatch(/^Fetched 3 files, /);
    for (const name of ["welcome.txt", "empty.txt", "two machines.png"]) {
      const path = name.endsWith("png") ? `docs/${name}` : name;
      expect(await Bun.file(folder.join("into", name)).bytes()).toEqual(
        await Bun.file(`${REPOSITORY}/${path}`).bytes(),
      );
    }
  });

  test("get --json prints an event a line, with --digest the one that sha256sum gives", async () => {
    using folder = new TempFolder();
    const { stdout } = await runClient(["get", "welcome.txt", "--json", "--digest", "-s", server.address], {
      cwd: folder.path,
    });
    const digest = new Bun.CryptoHasher("sha256")
      .update(await Bun.file(`${REPOSITORY}/welcome.txt`).bytes())
      .digest("hex");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      // On a loaded machine even this one takes long enough for one.
      .filter(({ event }) => event !== "progress");
    const file = { path: "welcome.txt", size: 443 };
    expect(events).toEqual([
      { event: "started", ...file, present: 0 },
      { event: "done", ...file, target: "welcome.txt", kind: "file", outcome: "stored", sha256: digest },
      { event: "finished", stored: 1, unchanged: 0, skipped: 0, failed: 0, bytes: 443, seconds: events[2].seconds },
    ]);
  });

  test("get -o - writes the bytes to standard output", async () => {
    const { stdout } = await runClient(["get", "docs/units.csv", "-o", "-", "-s", server.address]);
    expect(stdout).toBe(await Bun.file(`${REPOSITORY}/docs/units.csv`).text());
  });

  test("a name that begins with a dash goes behind --", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("repo"));
    await Bun.write(folder.join("repo", "-rf"), "dash");
    await using server = await ServerProcess.start(["-r", folder.join("repo")]);
    const { exitCode } = await runClient(["get", "-s", server.address, "--", "-rf"], { cwd: folder.path });
    expect(exitCode).toBe(0);
    expect(await Bun.file(folder.join("-rf")).text()).toBe("dash");
  });

  test("one missing file does not stop the others, and decides the exit code", async () => {
    using folder = new TempFolder();
    const args = ["get", "missing", "welcome.txt", "-s", server.address];
    const { exitCode, stdout, stderr } = await runClient(args, { cwd: folder.path });
    expect(exitCode).toBe(6);
    expect(stderr).toContain('There is no "missing" in the repository.');
    expect(stdout).toContain("Fetched welcome.txt");
  });

  test("send prints the ACK, takes the text from standard input, and reports delivery", async () => {
    expect((await runClient(["send", "hi", "-s", server.address])).stdout).toBe("hi ACK\n");
    expect((await runClient(["send", "-", "-s", server.address], { stdin: "piped\n" })).stdout).toBe("piped ACK\n");
    const nobody = await runClient(["send", "hi", "--to", "Client99", "-s", server.address]);
    expect(nobody).toMatchObject({ exitCode: 6, stdout: "" });
    const json = JSON.parse((await runClient(["send", "hi", "--json", "-s", server.address])).stdout);
    expect(json).toEqual({ text: "hi ACK", delivered: ["Server"], failed: [] });
  });

  test("the shell takes its lines from a pipe, and ends with the code of the last failure", async () => {
    const { exitCode, stdout } = await runClient(["-s", server.address], {
      stdin: "hello\nget missing\nping\nexit\nnever\n",
    });
    expect(stdout).toContain("hello ACK");
    expect(stdout).not.toContain("never");
    expect(exitCode).toBe(6);
  });

  test("--wait queues and is told the position", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY, "--max-clients", "1"]);
    const { client } = await binaries();
    const holder = Bun.spawn([client, "-s", server.address], { env: USER_ENV, stdin: "pipe", stdout: "pipe" });
    await server.event("joined");
    const waiting = runClient(["send", "at last", "--wait", "-s", server.address]);
    await server.event("waiting", { position: 1 });
    holder.stdin.end();
    expect(await holder.exited).toBe(0);
    const { stdout, stderr } = await waiting;
    expect(stdout).toBe("at last ACK\n");
    expect(stderr).toContain("position 1");
  });

  test("nobody reading the output any more is no error", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("many"));
    for (let index = 0; index < 3_000; index++) await Bun.write(folder.join("many", `${"n".repeat(80)}${index}`), "");
    await using server = await ServerProcess.start(["-r", folder.join("many")]);
    const { client } = await binaries();
    const { exitCode, stdout, stderr } = await run(
      ["/bin/sh", "-c", '"$0" list -s "$1" | head -n 1', client, server.address],
      {
        env: { ...USER_ENV, PATH: process.env["PATH"] ?? "" },
      },
    );
    expect(exitCode).toBe(0);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toBe("");
  });

  test("an interrupt during a download exits 130, keeps what has arrived under another name, and frees the seat", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("repo"));
    mkdirSync(folder.join("here"));
    await Bun.write(folder.join("repo", "big"), new Uint8Array(1));
    const { truncateSync } = await import("node:fs");
    truncateSync(folder.join("repo", "big"), 4 * 1024 ** 3);
    await using server = await ServerProcess.start(["-r", folder.join("repo")]);
    const { client } = await binaries();
    const child = Bun.spawn([client, "get", "big", "-s", server.address], {
      cwd: folder.join("here"),
      env: USER_ENV,
      stderr: "pipe",
    });
    await until(() => readdirSync(folder.join("here")).length > 0);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(readdirSync(folder.join("here")).sort()).toEqual(["big.commserver-journal", "big.commserver-part"]);
    await server.event("left", { name: "Client01" });
  });
});

describe("exit codes and words of both programs", () => {
  test("--version and --help", async () => {
    const { server, client } = await binaries();
    expect((await run([server, "--version"])).stdout).toBe(`commserver-server ${VERSION}\n`);
    expect((await run([client, "-V"])).stdout).toBe(`commserver-client ${VERSION}\n`);
    const help = await run([client, "--help"]);
    expect(help.exitCode).toBe(0);
    for (const word of ["status", "list", "get", "send", "ping", "shell", "--server", "EXIT CODES"]) {
      expect(help.stdout).toContain(word);
    }
    expect(help.stdout).not.toContain("\u001b");
    expect((await run([client, "get", "--help"])).stdout).toContain("--overwrite");
    expect((await run([server, "console", "--help"])).stdout).toContain("kick NAME");
    for (const program of [server, client]) {
      const asWord = async (...words: string[]) => (await run([program, ...words])).stdout;
      expect(await asWord("version")).toBe(await asWord("--version"));
      expect(await asWord("help")).toBe(await asWord("--help"));
      expect(await asWord("help", "config")).toBe(await asWord("config", "--help"));
      expect(JSON.parse(await asWord("version", "--json"))).toEqual({
        name: program === server ? "commserver-server" : "commserver-client",
        version: VERSION,
      });
    }
  });

  const usage: [string[], string][] = [
    [["lst"], 'Unknown command "lst". Did you mean "list"?'],
    [["ls"], 'Unknown command "ls". Did you mean "list"?'],
    [["RM", "a"], 'Unknown command "RM". Did you mean "remove"?'],
    [["help", "upload"], 'Unknown command "upload". Did you mean "put"?'],
    [["list", "--sever", "x"], "Unknown flag --sever. Did you mean --server?"],
    [["list", "--server"], "--server needs a value."],
    [["list", "a", "b"], 'Unexpected argument "b".'],
    [["get"], "Missing argument: PATH."],
    [["list", "--json=1"], "--json takes no value."],
    [["list", "--timeout", "soon"], '--timeout takes seconds, such as 10 or 2.5, not "soon".'],
    [["list", "--server", "host:port:x"], '"host:port:x" is neither a server that was joined here nor an address'],
    [["send", ""], "The message is empty."],
    [["get", "../x"], 'it has the component ".."'],
  ];
  test.each(usage)("client %j is a usage error", async (args, words) => {
    const { exitCode, stdout, stderr } = await runClient(args);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(words);
    expect(stderr).not.toContain("    at ");
  });

  test("nobody there is exit code 3, with the address; as JSON with --json", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const { address } = server;
    server.signal("SIGTERM");
    await server.exited();
    const plain = await runClient(["list", "-s", address]);
    expect(plain.exitCode).toBe(3);
    expect(plain.stderr).toContain(`Cannot connect to ${address}: nobody listens there.`);
    const json = await runClient(["list", "--json", "-s", address]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "CANNOT_CONNECT", exit: 3 } });
  });

  test("another program's port is exit code 3, and says that it is not CommServer", async () => {
    using http = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hi") });
    const { exitCode, stderr } = await runClient(["list", "-s", `127.0.0.1:${http.port}`]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("No TLS");
  });

  test("a local file that exists is exit code 8, a folder that can't be made is 9", async () => {
    using folder = new TempFolder();
    await Bun.write(folder.join("welcome.txt"), "mine");
    const exists = await runClient(["get", "welcome.txt", "-s", server.address], { cwd: folder.path });
    expect(exists).toMatchObject({ exitCode: 8, stdout: "" });
    expect(await Bun.file(folder.join("welcome.txt")).text()).toBe("mine");
    const nowhere = await runClient(["get", "welcome.txt", "-o", "welcome.txt/where", "-s", server.address], {
      cwd: folder.path,
    });
    expect(nowhere.exitCode).toBe(9);
  });

  test("a link that leads out of the repository is exit code 5, and is shown as a link", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("repo"));
    await Bun.write(folder.join("secret"), "secret");
    symlinkSync("../secret", folder.join("repo", "leak"));
    await using server = await ServerProcess.start(["-r", folder.join("repo")]);
    const { exitCode, stderr } = await runClient(["get", "leak", "-s", server.address], { cwd: folder.path });
    expect(exitCode).toBe(5);
    expect(stderr).toContain("leads out of the repository");
    expect((await runClient(["list", "-s", server.address])).stdout).toContain("leak@");
  });
});
