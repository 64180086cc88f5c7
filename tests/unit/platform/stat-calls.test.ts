import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { O_PATH } from "../../../lib/storage/local/proc-path.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;
let fd: number;

beforeEach(() => {
  folder = new TempFolder();
  fd = fs.openSync(folder.path, O_PATH | fs.constants.O_DIRECTORY);
});

afterEach(() => {
  fs.closeSync(fd);
  folder[Symbol.dispose]();
});

const statAt = (name: string) => libc().statAt?.(fd, name);

describe.skipIf(libc().statAt === undefined)("statAt", () => {
  test("has the numbers of fs.lstatSync(), whatever is there", () => {
    fs.writeFileSync(folder.join("file"), "content", { mode: 0o640 });
    fs.mkdirSync(folder.join("folder"));
    fs.symlinkSync("file", folder.join("link"));
    fs.symlinkSync("nowhere", folder.join("dangling"));
    fs.writeFileSync(folder.join("é 中 🦊"), "");
    expect(Bun.spawnSync(["mkfifo", folder.join("fifo")]).exitCode).toBe(0);
    for (const [name, time] of Object.entries({ old: "1960-01-01T00:00:00.5Z", late: "2400-01-01T00:00:00.25Z" })) {
      expect(Bun.spawnSync(["touch", "-d", time, folder.join(name)]).exitCode).toBe(0);
    }
    for (const name of fs.readdirSync(folder.path)) {
      const { dev, ino, mode, size, mtimeNs } = fs.lstatSync(folder.join(name), { bigint: true });
      expect(statAt(name)).toEqual({ dev, ino, mode, size, mtimeNs });
    }
  });

  test("has the number of the device, of any disk", () => {
    const proc = fs.openSync("/proc", O_PATH | fs.constants.O_DIRECTORY);
    try {
      expect(libc().statAt?.(proc, "version")?.dev).toBe(fs.lstatSync("/proc/version", { bigint: true }).dev);
      fs.writeFileSync(folder.join("file"), "");
      expect(statAt("file")?.dev).toBe(fs.lstatSync(folder.join("file"), { bigint: true }).dev);
    } finally {
      fs.closeSync(proc);
    }
  });

  test("is undefined for what is not there, and for a name that no file can have", () => {
    fs.writeFileSync(folder.join("x"), "");
    expect([statAt("none"), statAt("x".repeat(2_000)), libc().statAt?.(-1, "x")]).toEqual(Array(3).fill(undefined));
  });
});

test.skipIf(libc().waits === undefined)("waits() rises when this thread waits", () => {
  const before = libc().waits?.() ?? 0;
  // A busy machine may continue it only when its time is over: then it has not waited.
  for (let tries = 0; tries < 100 && libc().waits?.() === before; tries++) Bun.sleepSync(1);
  expect(libc().waits?.()).toBeGreaterThan(before);
});
