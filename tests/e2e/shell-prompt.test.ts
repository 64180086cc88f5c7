/** The prompt of the shell, and what appears above it, by the compiled programs. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

test("the prompt says at once that the link is lost, and when it is back, and keeps what was typed", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.join("repo/docs"), { recursive: true });
  const args = ["-r", folder.join("repo"), "--host", "127.0.0.1"];
  const first = await ServerProcess.start(args, { stateDir: folder.join("state") });
  const { port, address } = first;
  const { client } = await binaries();
  await using screen = new Screen([client, "--server", address], { cwd: folder.path });
  await screen.prompts("Client01> ");
  screen.type("cd docs\r");
  await screen.prompts("Client01 /docs> ");
  screen.type("half a line");
  await screen.prompts("/docs> half a line");
  first.signal("SIGKILL");
  await screen.prompts("Client01 /docs offline> half a line");
  await first[Symbol.asyncDispose]();
  await using _ = await ServerProcess.start([...args, "--port", `${port}`], { stateDir: folder.join("state") });
  await screen.prompts("Client02 /docs> half a line");
  screen.type("\r");
  await screen.shows("half a line ACK");
}, 60_000);

describe("without a link", () => {
  async function cutOff(folder: TempFolder) {
    mkdirSync(folder.join("repo"));
    writeFileSync(folder.join("repo/slow.bin"), new Uint8Array(2_000_000));
    const args = ["-r", folder.join("repo"), "--host", "127.0.0.1"];
    const server = await ServerProcess.start(args, { stateDir: folder.join("state") });
    const { client } = await binaries();
    const screen = new Screen([client, "--limit-rate", "100K", "--server", server.address], { cwd: folder.path });
    await screen.prompts("Client01> ");
    return { server, screen, args };
  }

  test("lines that need none are answered, the others wait, and what waits can be dropped", async () => {
    using folder = new TempFolder();
    const { server, screen, args } = await cutOff(folder);
    await using _ = screen;
    await server[Symbol.asyncDispose]();
    await screen.prompts("Client01 offline> ");
    for (const [line, answer] of [
      ["lpwd", folder.path],
      ["help exit", "Leave, as Ctrl-D does"],
      ["pwd", "/"],
      ["version", "server: commserver-server"],
      ["jobs", "No job is running."],
    ] as const) {
      screen.type(`${line}\r`);
      await screen.shows(answer);
      await screen.prompts("Client01 offline> ");
    }
    screen.type("ls\r");
    await screen.shows("This line waits until the link is back.");
    screen.type("\x03");
    await screen.shows("Interrupted.");
    await screen.prompts("Client01 offline> ");
    screen.type("hello\r");
    await until(() => screen.text.split("This line waits").length === 3);
    await using _again = await ServerProcess.start([...args, "--port", `${server.port}`], {
      stateDir: folder.join("state"),
    });
    await screen.shows("hello ACK");
    expect(screen.text).not.toContain("slow.bin");
  }, 120_000);

  test("jobs are listed and ended, and leaving says what is left", async () => {
    using folder = new TempFolder();
    const { server, screen } = await cutOff(folder);
    await using _ = screen;
    for (const line of ["get slow.bin &\r", "get slow.bin two.bin &\r"]) screen.type(line);
    await screen.shows("[2] running");
    server.signal("SIGKILL");
    await screen.prompts("Client01 offline> ");
    screen.type("cancel 2\r");
    await screen.shows("[2] cancelled");
    await screen.prompts("offline> ");
    screen.type("\x03");
    await screen.shows("1 job is not finished: get slow.bin.");
    await screen.shows("What has arrived is kept");
    await screen.prompts("offline> ");
    screen.type("exit\r");
    await until(() => screen.text.split("1 job is not finished").length === 3);
    await screen.prompts("offline> ");
    screen.type("exit\r");
    expect(await screen.exited).toBe(0);
    await server[Symbol.asyncDispose]();
  }, 120_000);
});

test("a message appears above the prompt, with the time of day", async () => {
  using folder = new TempFolder();
  await using server = await ServerProcess.start(["-r", folder.path]);
  const { client } = await binaries();
  await using screen = new Screen([client, "--server", server.address], { cwd: folder.path });
  await screen.prompts("Client01> ");
  screen.type("typing");
  await screen.prompts("> typing");
  await runClient(["send", "hello", "--to", "Client01", "-s", server.address]);
  await screen.shows("Client02: hello");
  expect(screen.lines.find((line) => line.includes("hello"))).toMatch(/^\d\d:\d\d Client02: hello$/);
  await screen.prompts("Client01> typing");
});

test("Tab completes a flag, a name of this machine, and one of the server in the shell's folder", async () => {
  using folder = new TempFolder();
  mkdirSync(folder.join("repo/docs/deep"), { recursive: true });
  mkdirSync(folder.join("here/inbox"), { recursive: true });
  await using server = await ServerProcess.start(["-r", folder.join("repo")]);
  const { client } = await binaries();
  await using screen = new Screen([client, "--server", server.address], { cwd: folder.join("here") });
  await screen.prompts("Client01> ");
  screen.type("lcd in\t");
  await screen.prompts("> lcd inbox/");
  screen.type("\rcd docs\r");
  await screen.prompts("/docs> ");
  screen.type("ls de\t");
  await screen.prompts("> ls deep/");
  screen.type(" --lo\t");
  await screen.prompts("> ls deep/ --long ");
});
