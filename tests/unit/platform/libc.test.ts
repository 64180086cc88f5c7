import { describe, expect, test } from "bun:test";
import fs, { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { libc } from "../../../lib/platform/libc.ts";
import { isRunning, thisProcess } from "../../../lib/platform/process-mark.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const MODULE = join(import.meta.dir, "../../../lib/platform/libc.ts");

/** Which calls libc() has when dlopen() has none of these. */
function callsWithout(missing: readonly string[]): Record<string, boolean> {
  const script = `
    import { mock } from "bun:test";
    import * as ffi from "bun:ffi";
    const { dlopen } = ffi;
    mock.module("bun:ffi", () => ({ ...ffi, dlopen: (library, calls) => {
      if (library !== "libc.so.6") throw new Error("asked for " + library);
      for (const name of Object.keys(calls)) if (${JSON.stringify(missing)}.includes(name)) throw new Error(name);
      return dlopen(library, calls);
    } }));
    const { libc } = await import(${JSON.stringify(MODULE)});
    const there = Object.entries(libc()).map(([name, call]) => [name, call !== undefined]);
    console.log(JSON.stringify(Object.fromEntries(there)));`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script]);
  if (stderr.length > 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

const ALL = {
  getdents64: true,
  tryLock: true,
  createAt: true,
  openAt: true,
  renameNewAt: true,
  sendfile: true,
  isWithinReach: true,
  seek: true,
  inotify: true,
  getAcl: true,
  setAcl: true,
  removeAcl: true,
  peerUser: true,
  endedSockets: true,
  duplicate: true,
  boundAddress: true,
  sendDatagram: true,
  statAt: true,
  waits: true,
};

describe.skipIf(process.platform !== "linux")("the C library", () => {
  test.each([
    ["getdents64", ["getdents64"]],
    ["flock", ["tryLock"]],
    ["openat", ["createAt", "openAt"]],
    ["sendfile", ["sendfile"]],
    ["lseek", ["isWithinReach", "seek"]],
    ["inotify_init1", ["inotify"]],
    ["lgetxattr", ["getAcl"]],
    ["fsetxattr", ["setAcl"]],
    ["fremovexattr", ["removeAcl"]],
    ["getsockopt", ["peerUser"]],
    ["poll", ["endedSockets"]],
    ["fcntl", ["duplicate"]],
    ["getsockname", ["boundAddress"]],
    ["sendto", ["sendDatagram"]],
    ["statx", ["statAt"]],
    ["getrusage", ["waits"]],
  ])("without %s has all the others", (symbol, calls) => {
    const gone = Object.fromEntries(calls.map((call) => [call, false]));
    expect(callsWithout([symbol])).toEqual({ ...ALL, ...gone });
  });

  test("without a function for renameat2, as musl, has it by its number", () => {
    expect(callsWithout(["renameat2"])).toEqual(ALL);
    expect(callsWithout(["renameat2", "syscall"])).toEqual({ ...ALL, renameNewAt: false });
  });

  test("is not looked for in the folder that a program is started in", () => {
    using folder = new TempFolder();
    for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
      writeFileSync(folder.join(name), "no library");
    }
    const script = `const { libc } = await import(${JSON.stringify(MODULE)}); console.log(libc().tryLock !== undefined);`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { cwd: folder.path });
    expect(stdout.toString()).toBe("true\n");
  });

  test("renames over nothing", () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("f"));
    writeFileSync(folder.join("f/a"), "a");
    writeFileSync(folder.join("f/b"), "b");
    const fd = fs.openSync(folder.join("f"), fs.constants.O_RDONLY);
    try {
      expect(libc().renameNewAt?.(fd, "a", "b")).toBe(false);
      expect(libc().renameNewAt?.(fd, "a", "c")).toBe(true);
    } finally {
      fs.closeSync(fd);
    }
    expect(readdirSync(folder.join("f")).sort()).toEqual(["b", "c"]);
  });
});

describe("a process", () => {
  test("is known by its number and its start", async () => {
    expect(isRunning(thisProcess())).toBe(process.platform === "linux" ? true : undefined);
    const child = Bun.spawn([process.execPath, "-e", "0"]);
    await child.exited;
    expect(isRunning({ pid: child.pid, start: "0" })).toBe(false);
  });

  test.skipIf(process.platform !== "linux")("that has ended and was not waited for does not run", async () => {
    // The shell's child ends when the shell has become a program that never asks for it.
    const parent = Bun.spawn(["sh", "-c", "sleep 0.1 & echo $!; exec sleep 1000"], { stdout: "pipe" });
    try {
      const { value } = await parent.stdout.getReader().read();
      const pid = Number(Buffer.from(value ?? []).toString());
      const state = () => fs.readFileSync(`/proc/${pid}/stat`, "latin1");
      while (!state().includes(") Z ")) await Bun.sleep(1);
      const start =
        state()
          .slice(state().lastIndexOf(")") + 2)
          .split(" ")[19] ?? "";
      expect(isRunning({ pid, start })).toBe(false);
    } finally {
      parent.kill("SIGKILL");
      await parent.exited;
    }
  });
});
