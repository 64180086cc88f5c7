import { beforeAll, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { type Finished, run, runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;

beforeAll(async () => {
  await binaries();
}, 180_000);

async function operate(server: ServerProcess, ...words: string[]): Promise<Finished> {
  const { server: program } = await binaries();
  return run([program, "console", "--state-dir", server.stateDir, ...words]);
}

async function clientScreen(address: string, folder: TempFolder): Promise<Screen> {
  const { client } = await binaries();
  return new Screen([client, "--server", address], { cwd: folder.path });
}

describe("the server's own terminal", () => {
  test("shows what happens, writes to clients, kicks, drains and stops", async () => {
    using folder = new TempFolder();
    const { server: program } = await binaries();
    await using server = new Screen(
      [program, "--repository", REPOSITORY, "--port", "0", "--host", "127.0.0.1", "--state-dir", folder.join("state")],
      { cwd: folder.path },
    );
    await server.prompts("server> ");
    const address = /--server (127\.0\.0\.1:\d+)/.exec(server.text)?.[1] as string;
    await using client = await clientScreen(address, folder);
    await client.prompts("Client01> ");
    await server.shows("Client01 joined from 127.0.0.1:");
    client.type("hello\r");
    await server.shows("Client01: hello");
    server.type("welcome, all\r");
    await client.shows("Server to all: welcome, all");
    server.type("@Client01 psst\r");
    await client.shows("Server: psst");
    server.type("status\r");
    await server.shows("Seats: 1 of 3 taken");
    server.type("drain\r");
    await server.shows("New clients are not admitted.");
    expect((await runClient(["status", "--server", address])).exitCode).toBe(3);
    server.type("drain off\r");
    await server.shows("Clients are admitted again.");
    server.type("kick client01 lunch\r");
    await client.shows("The operator ended this session: lunch.");
    expect(await client.exited).toBe(5);
    server.type("stop\r");
    expect(await server.exited).toBe(0);
    await server.shows("The server is shutting down.");
  });

  async function ownTerminal(folder: TempFolder): Promise<Screen> {
    const { server: program } = await binaries();
    const flags = ["-r", REPOSITORY, "-p", "0", "--host", "127.0.0.1", "--state-dir", folder.path];
    const server = new Screen([program, ...flags], { cwd: "/" });
    await server.prompts("server> ");
    return server;
  }

  test("Ctrl-C clears a line, and asks on an empty one", async () => {
    using folder = new TempFolder();
    await using server = await ownTerminal(folder);
    server.type("kick Cli");
    await server.prompts("server> kick Cli");
    server.type("\x03");
    await server.prompts("server> ");
    server.type("\x03");
    await server.shows("Nobody is connected. Ctrl-C again stops the server.");
    await server.prompts("Stop the server? [y/N] ");
    server.type("n\r");
    await server.prompts("server> ");
    server.type("\x03");
    await server.prompts("Stop the server? [y/N] ");
    server.type("y\r");
    expect(await server.exited).toBe(0);
  });

  test("a second Ctrl-C means yes", async () => {
    using folder = new TempFolder();
    await using server = await ownTerminal(folder);
    server.type("\x03");
    await server.prompts("Stop the server? [y/N] ");
    server.type("\x03");
    expect(await server.exited).toBe(0);
  });

  test.each([
    ["exit", "EXIT\r"],
    ["Ctrl-D", "\x04"],
  ])("%s leaves the console and not the server, which Ctrl-C then stops", async (_, keys) => {
    using folder = new TempFolder();
    await using server = await ownTerminal(folder);
    const address = /--server (\S+)/.exec(server.text)?.[1] as string;
    server.type(keys);
    await server.shows("You left the console; the server runs on. Ctrl-C stops it.");
    await runClient(["send", "knock", "--server", address]);
    await server.shows("Client01: knock");
    server.type("\x03");
    expect(await server.exited).toBe(0);
  });

  test("stop asks while clients are connected, and names them", async () => {
    using folder = new TempFolder();
    await using server = await ownTerminal(folder);
    const address = /--server (\S+)/.exec(server.text)?.[1] as string;
    await using client = await clientScreen(address, folder);
    await client.prompts("Client01> ");
    server.type("stop\r");
    await server.shows("Client01 is connected.");
    await server.prompts("Stop the server? [y/N] ");
    server.type("\r");
    await server.shows("The server runs on.");
    await server.prompts("server> ");
    server.type("stop\r");
    await server.prompts("Stop the server? [y/N] ");
    server.type("y\r");
    expect(await server.exited).toBe(0);
    expect(await client.exited).toBe(3);
  });

  test("Tab completes commands, and the names of those who are here", async () => {
    using folder = new TempFolder();
    await using server = await ownTerminal(folder);
    const address = /--server (\S+)/.exec(server.text)?.[1] as string;
    await using client = await clientScreen(address, folder);
    await client.prompts("Client01> ");
    server.type("ki\t");
    await server.prompts("server> kick ");
    server.type("c\t");
    await server.prompts("server> kick Client01 ");
  });

  test("tells at the start what does not work: here the socket, whose path is too long", async () => {
    using folder = new TempFolder();
    const { server: program } = await binaries();
    const stateDir = folder.join("s".repeat(100));
    await using server = new Screen([program, "-r", REPOSITORY, "-p", "0", "--state-dir", stateDir], { cwd: "/" });
    await server.shows("No operator's socket: its path");
    await server.prompts("server> ");
  });

  test("an event does not tear the line that is being typed", async () => {
    using folder = new TempFolder();
    const { server: program } = await binaries();
    await using server = new Screen(
      [program, "-r", REPOSITORY, "-p", "0", "--host", "127.0.0.1", "--state-dir", folder.path],
      { cwd: "/" },
    );
    await server.prompts("server> ");
    server.type("kick Cli");
    await server.prompts("server> kick Cli");
    const address = /--server (\S+)/.exec(server.text)?.[1] as string;
    await runClient(["send", "knock", "--server", address]);
    await server.shows("Client01: knock");
    await server.shows("Client01 left: exit");
    await server.prompts("server> kick Cli");
  });
});

describe("the operator's socket", () => {
  test("only its owner can use it", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    expect(statSync(`${server.stateDir}/operator.sock`).mode & 0o777).toBe(0o600);
  });

  test("ends a piped console with the exit code of the last line that failed", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const { server: program } = await binaries();
    const piped = (stdin: string) => run([program, "console", "--state-dir", server.stateDir], { stdin });
    expect(await piped("staus\nstatus\n")).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("Seats:") });
    expect(await piped("kick Client99\n")).toMatchObject({ exitCode: 6 });
    expect(await piped("status\nquit\n")).toMatchObject({ exitCode: 0 });
  });

  test("takes status, messages, kick, drain and stop without a terminal", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    using folder = new TempFolder();
    await using client = await clientScreen(server.address, folder);
    await client.prompts("Client01> ");
    const { stdout: here } = await operate(server, "status");
    expect(here).toContain("Seats: 1 of 3 taken");
    expect(here).toMatch(/^WHO +FOR +DOES +FROM\nClient01 +\d+ s +127\.0\.0\.1:\d+$/m);
    expect((await operate(server, "status", "--all")).stdout).toMatch(/^NAME +ADDRESS .*\nClient01 .* connected /m);
    expect(await operate(server, "drain", "--all")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--all is only for console status."),
    });
    expect((await operate(server, "hello", "all")).stdout).toBe("Delivered to Client01.\n");
    await client.shows("Server to all: hello all");
    expect((await operate(server, "drain")).exitCode).toBe(0);
    expect((await runClient(["status", "-s", server.address])).exitCode).toBe(3);
    const kicked = await operate(server, "kick", "Client01", "--json");
    expect(JSON.parse(kicked.stdout)).toEqual({ text: "Client01 was kicked.", kicked: "Client01" });
    expect(await client.exited).toBe(5);
    expect(await operate(server, "kick", "Client01")).toMatchObject({ exitCode: 6, stdout: "" });
    const mistyped = await operate(server, "drian");
    expect(mistyped).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining('Did you mean "drain"?'),
    });
    expect(await operate(server, "exit")).toMatchObject({ exitCode: 2, stdout: "" });
    const status = JSON.parse((await operate(server, "STATUS", "--json")).stdout);
    expect(status).toMatchObject({ self: { role: "operator" }, seats: { taken: 0 }, text: expect.any(String) });
    expect(await operate(server, "quit")).toMatchObject({ exitCode: 2, stdout: "" });
    expect((await operate(server, "stop")).exitCode).toBe(0);
    expect(await server.exited()).toBe(0);
  });

  test.each([
    ["Ctrl-D", "\x04"],
    ["Ctrl-C", "\x03"],
    ["exit", "Exit\r"],
  ])("an attached console shows what happens, and %s leaves the server running", async (_, keys) => {
    await using server = await ServerProcess.start(["-r", REPOSITORY]);
    const { server: program } = await binaries();
    await using console = new Screen([program, "console", "--state-dir", server.stateDir], { cwd: "/" });
    await console.prompts("server> ");
    await runClient(["send", "knock", "-s", server.address]);
    await console.shows("Client01: knock");
    console.type(keys);
    expect(await console.exited).toBe(0);
    expect((await runClient(["status", "-s", server.address])).exitCode).toBe(0);
  });

  test("is a client's business too: the client speaks to it as operator", async () => {
    await using server = await ServerProcess.start(["-r", REPOSITORY, "--max-clients", "1"]);
    const { exitCode, stdout } = await runClient([
      "status",
      "--json",
      "--server",
      `unix:${server.stateDir}/operator.sock`,
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ self: { role: "operator" }, seats: { taken: 0 } });
  });

  test("no server, no socket: one line that says so", async () => {
    using folder = new TempFolder();
    const { server: program } = await binaries();
    const { exitCode, stderr } = await run([program, "console", "status", "--state-dir", folder.path]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("operator.sock");
    expect(stderr).not.toContain("    at ");
  });
});
