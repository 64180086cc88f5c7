/** A terminal that nobody reads any more: the machine at the other end of ssh sleeps, a window's program hangs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { binaries } from "../support/binaries.ts";
import { runClient, ServerProcess, USER_ENV } from "../support/processes.ts";
import { python } from "../support/python.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const REPOSITORY = `${import.meta.dir}/../../repository`;
const LAUNCHER = `${import.meta.dir}/../support/unread-terminal.py`;

/** More than the system keeps for a terminal. */
const LINES = `${`${"x".repeat(8000)}\n`.repeat(60)}`;

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A program on such a terminal; `text()` is what stood there, and what became of it. */
function unread(mark: string, command: string[], folder: TempFolder) {
  const child = Bun.spawn(python(LAUNCHER, mark, ...command), {
    cwd: folder.path,
    env: { ...USER_ENV, PATH: process.env["PATH"] ?? "", TERM: "xterm" },
    stdout: "pipe",
  });
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const piece of child.stdout) text += decoder.decode(piece, { stream: true });
  })();
  return {
    pid: () => until(() => Number(/^pid (\d+)/m.exec(text)?.[1] ?? 0) || undefined),
    text: () => text,
    ended: () => reading.then(() => text),
  };
}

describe.skipIf(process.platform !== "linux")("a terminal that nobody reads any more", () => {
  test("does not keep its server from serving, nor from stopping", async () => {
    const { server } = await binaries();
    using folder = new TempFolder();
    const state = folder.join("state");
    const program = unread("server>", [server, "-r", REPOSITORY, "-p", "0", "--open", "--state-dir", state], folder);
    const pid = await program.pid();
    const [, port] = /port (\d+)/.exec(program.text()) ?? [];
    const talked = await runClient(["--server", `127.0.0.1:${port}`], { stdin: LINES });
    expect(talked.exitCode).toBe(0);
    expect(talked.stdout.match(/ACK/g)).toHaveLength(60);
    process.kill(pid, "SIGTERM");
    expect(await program.ended()).toContain("ended 0");
  });

  test("does not keep its client from hearing SIGTERM", async () => {
    await using server = await ServerProcess.start(["--repository", REPOSITORY]);
    const { client } = await binaries();
    using folder = new TempFolder();
    const program = unread("Client01", [client, "--server", server.address], folder);
    const pid = await program.pid();
    // Delivered is what the terminal has taken: the last of these wait for that until their reader has left.
    const lines = LINES.replace(/^/gm, "@Client01 ").replace(/@Client01 $/, "");
    const talker = Bun.spawn([client, "--server", server.address], {
      env: USER_ENV,
      stdin: new Blob([lines]),
      stdout: "pipe",
    });
    let told = "";
    const decoder = new TextDecoder();
    for await (const piece of talker.stdout) {
      told += decoder.decode(piece, { stream: true });
      if (!told.includes("Delivered to Client01")) continue;
      process.kill(pid, "SIGTERM");
      break;
    }
    expect(await program.ended()).toContain("ended 130");
    await talker.exited;
  });
});
