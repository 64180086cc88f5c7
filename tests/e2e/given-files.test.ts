/** Files that flags name, which need not be files: pipes that nobody writes into. By the compiled programs. */

import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { spawn } from "bun";
import { AccessSite } from "../support/access-site.ts";
import { binaries } from "../support/binaries.ts";
import { USER_ENV } from "../support/processes.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

beforeAll(async () => {
  await binaries();
}, 180_000);

/** A pipe with a name; who opens it waits for somebody at its other end. */
function pipeIn(folder: TempFolder): string {
  const path = folder.join("pipe");
  Bun.spawnSync(["mkfifo", path]);
  return path;
}

/** Whether the process has a handler for that signal: the next thing that it does is to read what its flags name. */
function hears(pid: number, signal: "SIGTERM" | "SIGINT"): boolean {
  const [, caught] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return (BigInt(`0x${caught ?? "0"}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Start the client, and end it by `signal` when it hears it. @returns its exit code */
async function ended(args: string[], signal: "SIGTERM" | "SIGINT"): Promise<number> {
  using folder = new TempFolder();
  const { client } = await binaries();
  const child = spawn([client, ...args, "--server", "localhost:1", "--state-dir", folder.join("state")], {
    env: USER_ENV,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  try {
    await until(() => hears(child.pid, signal));
    child.kill(signal);
    return await child.exited;
  } finally {
    child.kill("SIGKILL");
  }
}

const COMMANDS = ["list --token-file", "list --invite-file", "list --ca", "get . --token-file", "shell --token-file"];
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

describe.skipIf(process.platform !== "linux")("a client that waits for what a flag names ends at once", () => {
  test.each(COMMANDS.flatMap((command) => SIGNALS.map((signal) => [command, signal] as const)))(
    "%s PIPE, into which nobody writes, at %s",
    async (command, signal) => {
      using folder = new TempFolder();
      expect(await ended([...command.split(" "), pipeIn(folder)], signal)).toBe(130);
    },
  );

  test.each(SIGNALS)("list --token-file -, when nothing comes, at %s", async (signal) => {
    expect(await ended(["list", "--token-file", "-"], signal)).toBe(130);
  });
});

test("a token from standard input, which can be read once, is proven again over the next link", async () => {
  await using site = await AccessSite.start("--writable");
  const { client } = await binaries();
  const args = ["watch", "--server", site.address, "--accept-new", "--token-file", "-", "--json"];
  const child = spawn([client, ...args], {
    env: { ...USER_ENV, ...site.env },
    stdin: new Blob([site.token]),
    stdout: "pipe",
    stderr: "ignore",
  });
  let told = "";
  void child.stdout.pipeTo(
    new WritableStream({
      write(bytes) {
        told += Buffer.from(bytes).toString();
      },
    }),
  );
  /** Make files until one of them is told of: before it watches, it hears of none. */
  const untilTold = async (name: string) => {
    let count = 0;
    await until(() => {
      writeFileSync(site.folder.join("files", `${name}${count++}`), "x");
      return told.includes(name);
    });
  };
  try {
    await untilTold("before-");
    site.server.signal("SIGKILL");
    await site.server.exited();
    await site.restart();
    await untilTold("after-");
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
});
