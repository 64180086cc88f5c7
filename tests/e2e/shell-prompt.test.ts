/** The prompt of the shell, and what appears above it, by the compiled programs. */
import { beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess } from "../support/processes.ts";
import { Screen } from "../support/screen.ts";
import { TempFolder } from "../support/temp-folder.ts";

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
