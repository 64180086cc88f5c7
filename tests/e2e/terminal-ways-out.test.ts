/** Every way in which a program at a terminal can be told to leave, at every moment. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A server whose one file takes a while. */
async function slowServer(folder: TempFolder): Promise<ServerProcess> {
  writeFileSync(folder.join("slow.bin"), new Uint8Array(1_500_000).fill(7));
  return ServerProcess.start(["--repository", folder.path, "--limit-rate", "400K"]);
}

async function clientOn(server: ServerProcess, folder: TempFolder, args: string[] = []): Promise<Screen> {
  const { client } = await binaries();
  return new Screen([client, ...args, "--server", server.address], { cwd: folder.path });
}

/** A command whose terminal may go without a signal, as behind `trap '' HUP`. */
function deafToHangups(command: string[], folder: TempFolder): Screen {
  return new Screen(["sh", "-c", `trap '' HUP; exec "$@"`, "sh", ...command], { cwd: folder.path });
}

describe("a window that closes where SIGHUP is ignored", () => {
  test("ends the shell, which can't read any more, and gives its seat back", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    const { client } = await binaries();
    await using screen = deafToHangups([client, "--server", server.address], folder);
    await screen.prompts("Client01> ");
    screen.hangUp();
    await server.event("left", { name: "Client01", reason: "exit" });
    expect(await screen.exited).toBe(130);
  });

  test("leaves a server alone that was in it", async () => {
    const { server } = await binaries();
    using folder = new TempFolder();
    const state = folder.join("state");
    await using screen = deafToHangups([server, "-r", REPOSITORY, "-p", "0", "--state-dir", state, "--open"], folder);
    await screen.prompts("server> ");
    const [, port] = /port (\d+)/.exec(screen.text) ?? [];
    screen.hangUp();
    // It has been told: what it says about the client below finds no terminal.
    const listed = await runClient(["list", "--server", `127.0.0.1:${port}`]);
    expect(listed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("welcome.txt") });
    process.kill(screen.pid, "SIGTERM");
    expect(await screen.exited).toBe(0);
  });
});

describe("a client that tries to come back", () => {
  async function lost(folder: TempFolder): Promise<Screen> {
    const server = await ServerProcess.start(["--repository", REPOSITORY]);
    const screen = await clientOn(server, folder, ["--reconnect", "3600"]);
    await screen.prompts("Client01> ");
    await server[Symbol.asyncDispose]();
    await screen.shows("Reconnecting");
    await screen.prompts("Client01 offline> ");
    return screen;
  }

  test.each([
    ["SIGTERM", 130],
    ["SIGHUP", 130],
  ] as const)("is ended by %s", async (signal, exit) => {
    using folder = new TempFolder();
    await using screen = await lost(folder);
    process.kill(screen.pid, signal);
    expect(await screen.exited).toBe(exit);
  });

  test.each([
    ["Ctrl-C", "\x03", 130],
    ["Ctrl-D", "\x04", 0],
  ] as const)("is ended by %s", async (_, key, exit) => {
    using folder = new TempFolder();
    await using screen = await lost(folder);
    screen.type(key);
    expect(await screen.exited).toBe(exit);
  });
});

describe("SIGQUIT", () => {
  test("ends a get in order: what has arrived is kept, and the seat is free", async () => {
    using repository = new TempFolder();
    await using server = await slowServer(repository);
    using folder = new TempFolder();
    await using screen = await clientOn(server, folder, ["get", "."]);
    await screen.shows("░");
    process.kill(screen.pid, "SIGQUIT");
    await server.event("left", { reason: "exit" });
    expect(await screen.exited).toBe(130);
    await screen.shows("What has arrived is kept");
    expect(screen.text).not.toMatch(/[░█]/);
  });

  test("stops a server in order, and leaves its terminal as it was", async () => {
    const { server } = await binaries();
    using folder = new TempFolder();
    const command = `"$@"; echo ended: $?; stty -a | grep -ow -- -icanon; read -r line && echo "read $line"`;
    await using screen = new Screen(
      ["sh", "-c", command, "sh", server, "-r", REPOSITORY, "-p", "0", "--state-dir", folder.path],
      { cwd: "/" },
    );
    await screen.prompts("server> ");
    process.kill(childOf(screen.pid, "server"), "SIGQUIT");
    await screen.shows("ended: 0");
    screen.type("a line\r");
    await screen.shows("read a line");
    expect(screen.text).not.toContain("-icanon");
  });
});

describe("Ctrl-C", () => {
  test("in the shell says once that a transfer is interrupted, and that it can be resumed", async () => {
    using repository = new TempFolder();
    await using server = await slowServer(repository);
    using folder = new TempFolder();
    await using screen = await clientOn(server, folder);
    await screen.prompts("Client01> ");
    screen.type("get slow.bin\r");
    await screen.shows("░");
    screen.type("\x03");
    await screen.prompts("Client01> ");
    expect(screen.lines.filter((line) => line.includes("Interrupted"))).toEqual([
      "Interrupted. What has arrived is kept: the same command resumes it.",
    ]);
  });

  test("ends a script that is piped in as a whole: what follows may have relied on what it interrupts", async () => {
    using repository = new TempFolder();
    await using server = await slowServer(repository);
    using folder = new TempFolder();
    const { client } = await binaries();
    const script = `printf 'get slow.bin\\nhello\\n' | "$@"; echo ended: $?`;
    await using screen = new Screen(["sh", "-c", script, "sh", client, "--server", server.address], {
      cwd: folder.path,
    });
    // The shell would end by the signal as well.
    await screen.shows("░");
    process.kill(childOf(screen.pid, "client"), "SIGINT");
    await screen.shows("ended: 130");
    expect(screen.text).not.toContain("hello ACK");
  });
});

/** A program that a shell has started, perhaps among others. */
function childOf(shell: number, program: "client" | "server"): number {
  const { stdout } = Bun.spawnSync(["pgrep", "-P", String(shell), "-f", `^[^ ]*commserver-${program}`]);
  return Number(stdout.toString().trim());
}

describe("Ctrl-Z where nothing could let the program go on", () => {
  test("does nothing: the prompt still takes keys one by one", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using screen = await clientOn(server, folder);
    await screen.prompts("Client01> ");
    screen.type("ab\x1ac");
    await screen.prompts("Client01> abc");
    screen.type("\x7fd\r");
    await screen.shows("abd ACK");
    await screen.prompts("Client01> ");
    // In line mode the terminal would show it a second time.
    expect(screen.lines.filter((line) => line.includes("abd"))).toEqual(["Client01> abd", "abd ACK"]);
  });
});

describe("keys that are pressed while a command runs", () => {
  test("are not painted over its bars, and their line is shown when its turn comes", async () => {
    using repository = new TempFolder();
    await using server = await slowServer(repository);
    using folder = new TempFolder();
    await using screen = await clientOn(server, folder);
    await screen.prompts("Client01> ");
    screen.type("get .\r");
    await screen.shows("░");
    screen.type(`${"a long line ".repeat(12)}\r`);
    screen.type("and more");
    await screen.prompts("Client01> and more");
    expect(screen.text).not.toMatch(/[░█]/);
    const shown = screen.lines.join("").replaceAll(" ", "");
    const line = "alongline".repeat(12);
    expect(shown).toEndWith(`verified)Client01>${line}${line}ACKClient01>andmore`);
  });

  test("are no answer to a question that comes later", async () => {
    using repository = new TempFolder();
    await using server = await slowServer(repository);
    using folder = new TempFolder();
    writeFileSync(folder.join("welcome.txt"), "mine");
    writeFileSync(repository.join("welcome.txt"), "theirs");
    await using screen = await clientOn(server, folder);
    await screen.prompts("Client01> ");
    screen.type("get .\r");
    await screen.shows("░");
    screen.type("y\r");
    await screen.prompts("Replace it? [y/N] ");
    screen.type("n\r");
    await screen.shows("y ACK");
    expect(await Bun.file(folder.join("welcome.txt")).text()).toBe("mine");
  });
});

test("a shell whose output goes elsewhere asks nothing that nobody would see", async () => {
  await using server = await ServerProcess.start(["--repository", REPOSITORY]);
  using folder = new TempFolder();
  writeFileSync(folder.join("welcome.txt"), "mine");
  const { client } = await binaries();
  await using screen = new Screen(["sh", "-c", `"$@" | tee log`, "sh", client, "--server", server.address], {
    cwd: folder.path,
  });
  await screen.shows("Type a message");
  screen.type("get welcome.txt\r");
  await screen.shows("Replace a file with --overwrite");
  screen.type("y\r");
  await screen.shows("y ACK");
});
