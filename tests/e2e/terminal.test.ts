/** Terminals as people have them: windows that close, jobs that stop and go on, lines that wrap. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { ServerProcess } from "../support/processes.ts";
import { isStopped } from "../support/program.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;
/** A shell with job control, that says nothing of its own. */
const SHELL = ["bash", "--norc", "--noprofile", "-i"];

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A repository whose one file takes a while. */
function slowRepository(): TempFolder {
  const folder = new TempFolder();
  writeFileSync(folder.join("slow.bin"), new Uint8Array(1_500_000).fill(7));
  return folder;
}

async function clientOn(server: ServerProcess, folder: TempFolder, size: { cols?: number } = {}): Promise<Screen> {
  const { client } = await binaries();
  return new Screen([client, "--server", server.address], { cwd: folder.path, ...size });
}

/** A shell whose prompt is `$ `. */
async function bash(folder: TempFolder): Promise<Screen> {
  const screen = new Screen(SHELL, { cwd: folder.path, env: { PS1: "$ ", HOME: folder.path } });
  await screen.prompts("$ ");
  return screen;
}

/** Type the client's shell into a shell, up to its prompt. */
async function typeClient(screen: Screen, server: ServerProcess, folder: TempFolder): Promise<void> {
  const { client } = await binaries();
  screen.type(`${client} --server ${server.address} --state-dir ${folder.path}/state --accept-new\r`);
  await screen.prompts("Client01> ");
}

/** What a shell has started. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("a terminal that goes", () => {
  test("takes the shell with it, and gives the seat back", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using client = await clientOn(server, folder);
    await client.prompts("Client01> ");
    client.hangUp();
    await server.event("left", { name: "Client01", reason: "exit" });
    expect(await client.exited).toBe(130);
  });

  test.each(["SIGHUP", "SIGTERM"] as const)("%s ends the shell at its prompt", async (signal) => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using client = await clientOn(server, folder);
    await client.prompts("Client01> ");
    process.kill(client.pid, signal);
    await server.event("left", { name: "Client01", reason: "exit" });
    expect(await client.exited).toBe(130);
  });

  test("stops the server that it belongs to in order: exit 0, and no stack", async () => {
    const { server } = await binaries();
    using folder = new TempFolder();
    await using screen = new Screen([server, "-r", REPOSITORY, "-p", "0", "--state-dir", folder.path], { cwd: "/" });
    await screen.prompts("server> ");
    process.kill(screen.pid, "SIGHUP");
    expect(await screen.exited).toBe(0);
    expect(screen.text).not.toContain("    at ");
  });
});

describe("job control", () => {
  test("Ctrl-Z stops the shell, fg brings its prompt back, and it takes keys", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using screen = await bash(folder);
    await typeClient(screen, server, folder);
    screen.type("half a li\x1a");
    await screen.prompts("$ ");
    screen.type("echo in between\r");
    await screen.shows("\nin between");
    screen.type("fg\r");
    await screen.prompts("Client01> half a li");
    screen.type("ne\r");
    await screen.shows("half a line ACK");
    screen.type("exit\r");
    await screen.prompts("$ ");
  });

  test.each(["SIGSTOP", "SIGTSTP"] as const)(
    "a shell that is stopped from outside, by %s, goes on with its prompt as well",
    async (signal) => {
      await using server = await ServerProcess.start(["--repository", REPOSITORY]);
      using folder = new TempFolder();
      await using screen = await bash(folder);
      await typeClient(screen, server, folder);
      process.kill(childOf(screen.pid), signal);
      await screen.prompts("$ ");
      screen.type("fg\r");
      await screen.prompts("Client01> ");
      screen.type("still here\r");
      await screen.shows("still here ACK");
    },
  );

  test("a server in the background says what it does, is not stopped, and leaves the keys to the shell", async () => {
    const { server, client } = await binaries();
    using folder = new TempFolder();
    await using screen = await bash(folder);
    screen.type(`${server} -r ${REPOSITORY} -p 0 --state-dir ${folder.path}/state --open --plaintext &\r`);
    const port = await until(() => /Listening .* port (\d+)/.exec(screen.text)?.[1]);
    screen.type(`${client} list --server 127.0.0.1:${port} --plaintext --state-dir ${folder.path}/mine | wc -l\r`);
    await screen.shows("\n8");
    screen.type("jobs -l\r");
    const [, pid] = await until(() => /\[1\]\+?\s+(\d+) Running/.exec(screen.text) ?? undefined);
    expect(isStopped(Number(pid))).toBe(false);
    screen.type(`kill ${pid}; wait ${pid}; echo ended: $?\r`);
    await screen.shows("\nended: 0");
  });

  test("nohup and trap '' HUP keep a server alive when its terminal goes", async () => {
    const { server } = await binaries();
    using folder = new TempFolder();
    await using screen = await bash(folder);
    screen.type(
      `trap '' HUP; ${server} -r ${REPOSITORY} -p 0 --state-dir ${folder.path}/s --json < /dev/null > out 2>&1 & echo pid: $!\r`,
    );
    const pid = Number(await until(() => /\npid: (\d+)/.exec(screen.text)?.[1]));
    await until(
      () => existsSync(folder.join("out")) && readFileSync(folder.join("out"), "utf8").includes('"listening"'),
    );
    process.kill(pid, "SIGHUP");
    screen.hangUp();
    await screen.exited;
    process.kill(pid, "SIGTERM");
    await until(() => !isAlive(pid));
    // It was TERM that stopped it: the log has one reason to stop, after nothing else.
    const events = readFileSync(folder.join("out"), "utf8").trim().split("\n");
    expect(events.filter((line) => line.includes('"stopping"'))).toHaveLength(1);
  });
});

describe("a message that arrives", () => {
  test.each([20, 40, 80, 200])(
    "stands above the line that is being typed, wrapped as it is, at %i columns",
    async (cols) => {
      await using server = await ServerProcess.start(["--repository", REPOSITORY]);
      using folder = new TempFolder();
      await using reader = await clientOn(server, folder, { cols });
      await reader.prompts("Client01> ");
      await using writer = await clientOn(server, folder);
      await writer.prompts("Client02> ");
      const typed = "文字 and letters ".repeat(Math.ceil(cols / 12)).trim();
      reader.type(typed);
      const joined = () => reader.lines.map((line) => line.trimEnd()).join("");
      const squeezed = (text: string) => text.replaceAll(" ", "");
      await until(() => squeezed(joined()).endsWith(squeezed(typed)));
      const message = `message ${"is long ".repeat(Math.ceil(cols / 3))}END`;
      writer.type(`@Client01 ${message}\r`);
      await writer.shows("Delivered to Client01");
      writer.type("@Client01 and one more\r");
      await until(() => squeezed(joined()).endsWith(squeezed(`Client02: and one moreClient01> ${typed}`)));
      expect(squeezed(joined())).toContain(squeezed(`Client02: ${message}`));
    },
  );

  test("during a get stands above the bars, and all of it stays", async () => {
    using repository = slowRepository();
    await using server = await ServerProcess.start(["--repository", repository.path, "--limit-rate", "400K"]);
    using folder = new TempFolder();
    await using reader = await clientOn(server, folder);
    await reader.prompts("Client01> ");
    await using writer = await clientOn(server, folder);
    await writer.prompts("Client02> ");
    reader.type("get .\r");
    await reader.shows("█");
    writer.type("@Client01 look up\r");
    await reader.shows("Client02: look up");
    writer.type("@Client01 and down\r");
    await reader.prompts("Client01> ");
    expect(reader.text).toContain("Client02: look up");
    expect(reader.text).toContain("Client02: and down");
    expect(reader.text).not.toContain("█");
  });
});

describe("bars", () => {
  test("fit a window of no columns, and one that is made narrow", async () => {
    using repository = slowRepository();
    await using server = await ServerProcess.start(["--repository", repository.path, "--limit-rate", "400K"]);
    const { client } = await binaries();
    using folder = new TempFolder();
    await using screen = new Screen(
      [client, "get", ".", "--server", server.address, "--accept-new", "--state-dir", folder.join("state")],
      { cwd: folder.path, cols: 0 },
    );
    await screen.shows("░");
    screen.resize(30, 20);
    await until(() => screen.lines.filter((line) => line.includes("░") || line.includes("█")).length === 2);
    expect(await screen.exited).toBe(0);
    await screen.shows("Fetched");
    await until(() => !/[░█]/.test(screen.text));
  });
});

describe("lines that are piped in", () => {
  test("without end take no more memory than what was asked for, and SIGTERM ends them", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    const { client } = await binaries();
    using folder = new TempFolder();
    await using screen = await bash(folder);
    screen.type(`yes | ${client} --server ${server.address} --accept-new --state-dir ${folder.path}/s > /dev/null &\r`);
    await server.event("message", { text: "y" });
    screen.type("echo pid: $!\r");
    const pid = Number(await until(() => /\npid: (\d+)/.exec(screen.text)?.[1]));
    for (let count = 0; count < 2_000; count++) await server.event("message");
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    expect(Number(kilobytes)).toBeLessThan(200_000);
    process.kill(pid, "SIGTERM");
    await server.event("left", { reason: "exit" });
    await until(() => !isAlive(pid));
  });
});

describe("a window whose size changes", () => {
  test("takes no message away, however long the line that is typed", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    using folder = new TempFolder();
    await using reader = await clientOn(server, folder, { cols: 40 });
    await reader.prompts("Client01> ");
    await using writer = await clientOn(server, folder);
    await writer.prompts("Client02> ");
    reader.type("文字 and letters ".repeat(8));
    const messages: string[] = [];
    for (const cols of [33, 17, 33, 90, 21, 200, 20]) {
      reader.resize(cols, 30);
      const message = `a message at ${cols}`;
      messages.push(message.replaceAll(" ", ""));
      writer.type(`@Client01 ${message}\r`);
      await until(() =>
        reader.lines
          .join("")
          .replaceAll(" ", "")
          .includes(messages.at(-1) ?? ""),
      );
    }
    const seen = reader.lines.join("").replaceAll(" ", "");
    expect(messages.filter((message) => !seen.includes(message))).toEqual([]);
  });
});
