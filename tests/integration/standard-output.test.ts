/** What the programs write to files, pipes and devices, short texts and long ones. */
import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "bun";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const PROGRAM = join(import.meta.dir, "../support/writing-process.ts");
/** More than a pipe takes while nobody reads it. */
const LONG = 300_000;

const command = (words: readonly (string | number)[]) => [process.execPath, PROGRAM, ...words.map(String)];

/** What a process is told to write with these words. */
function said(words: readonly (string | number)[], kinds: readonly string[]): string {
  let text = "";
  for (let index = 0; index < words.length; index += 2) {
    if (kinds.includes(String(words[index]))) text += String(index % 10).repeat(Number(words[index + 1]));
  }
  return text;
}

describe("what is written", () => {
  const words = [
    "out",
    10,
    "out",
    4_096,
    "out",
    4_097,
    "out",
    LONG,
    "out",
    1,
    "log",
    10,
    "log",
    LONG,
    "log",
    5,
    "out",
    3,
  ];

  test("comes whole and in order through pipes", async () => {
    await using child = spawn(command(words), { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, log] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(out === said(words, ["out"])).toBe(true);
    expect(log === said(words, ["log"])).toBe(true);
    expect(await child.exited).toBe(0);
  });

  test("comes whole and in order into files", async () => {
    using folder = new TempFolder();
    const [out, log] = [folder.join("out"), folder.join("log")];
    await using child = spawn(command(words), { stdin: "ignore", stdout: Bun.file(out), stderr: Bun.file(log) });
    expect(await child.exited).toBe(0);
    expect(readFileSync(out, "utf8") === said(words, ["out"])).toBe(true);
    expect(readFileSync(log, "utf8") === said(words, ["log"])).toBe(true);
  });

  test("to both outputs stays in order when they are one pipe", async () => {
    const both = ["out", 5, "log", 5, "note", 3, "out", 4_000, "log", 4_000];
    const script = `exec "$@" 2>&1`;
    await using child = spawn(["sh", "-c", script, "sh", ...command(both)], { stdin: "ignore", stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe(
      `${"0".repeat(5)}${"2".repeat(5)}${"4".repeat(3)}\n${"6".repeat(4_000)}${"8".repeat(4_000)}`,
    );
  });
});

describe.skipIf(process.platform === "win32")("an output", () => {
  test("that nobody reads does not stop the program", async () => {
    using folder = new TempFolder();
    const pipe = folder.join("pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const words = [...Array<(string | number)[]>(40).fill(["out", 4_000]), ["alive"], ["out", LONG], ["alive"]].flat();
    await using child = spawn(["sh", "-c", `exec "$@" > ${pipe}`, "sh", ...command(words)], {
      stdin: "ignore",
      stderr: "pipe",
    });
    let heard = "";
    for await (const piece of child.stderr) {
      heard += new TextDecoder().decode(piece);
      if (heard === "alive\nalive\n") break;
    }
    expect(child.exitCode).toBeNull();
    let length = 0;
    const bytes = new Uint8Array(1024 * 1024);
    await until(() => {
      try {
        length += readSync(reader, bytes);
      } catch {
        // nothing there at this moment
      }
      return length >= 40 * 4_000 + LONG;
    });
    expect(length).toBe(40 * 4_000 + LONG);
    expect(await child.exited).toBe(0);
    closeSync(reader);
  });

  test.each([
    ["out", 10],
    ["out", LONG],
  ])("that is full is told: %s %i", async (word, length) => {
    await using child = spawn(["sh", "-c", `exec "$@" > /dev/full`, "sh", ...command([word, length])], {
      stdin: "ignore",
      stderr: "pipe",
    });
    expect(await new Response(child.stderr).text()).toBe("error DISK_FAILED\n");
    expect(await child.exited).toBe(9);
  });

  test.each([10, LONG])("whose reader is gone reports it: %i characters", async (length) => {
    using folder = new TempFolder();
    const pipe = folder.join("pipe");
    Bun.spawnSync(["mkfifo", pipe]);
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(pipe, constants.O_WRONLY);
    closeSync(reader);
    await using child = spawn(command(["out", length]), { stdin: "ignore", stdout: writer, stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toBe("error OUTPUT_CLOSED\n");
    expect(await child.exited).toBe(9);
    closeSync(writer);
  });

  test("that is closed does not stop the program", async () => {
    await using child = spawn(["sh", "-c", `exec "$@" 2>&-`, "sh", ...command(["log", 10, "note", 5, "out", 4])], {
      stdin: "ignore",
      stdout: "pipe",
    });
    expect(await new Response(child.stdout).text()).toBe("4444");
    expect(await child.exited).toBe(0);
  });
});
