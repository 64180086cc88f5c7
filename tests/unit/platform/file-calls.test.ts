import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const NONE = -1;
/** Holes are made of whole blocks of the disk, whose size divides this one. */
const HOLE = 1024 * 1024;

let folder: TempFolder;
let opened: number[];

beforeEach(() => {
  folder = new TempFolder();
  opened = [];
});

afterEach(() => {
  for (const fd of opened) fs.closeSync(fd);
  folder[Symbol.dispose]();
});

function open(path: string, flags: string | number = "r"): number {
  const fd = fs.openSync(path, flags);
  opened.push(fd);
  return fd;
}

/** Flags of open(2) that a descriptor has. */
function flagsOf(fd: number): number {
  return Number.parseInt(/^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8);
}

const O_CLOEXEC = 0o2000000;

describe.skipIf(process.platform !== "linux")("calls for files", () => {
  test("getdents64 has a folder's names, then nothing, and says when it fails", () => {
    for (const name of ["one", "two"]) fs.writeFileSync(folder.join(name), "");
    const fd = open(folder.path);
    const buffer = Buffer.alloc(4_096);
    const bytes = libc().getdents64?.(fd, buffer) ?? 0;
    const text = buffer.toString("latin1", 0, bytes);
    expect(text).toContain("one\0");
    expect(text).toContain("two\0");
    expect(libc().getdents64?.(fd, buffer)).toBe(0);
    expect(libc().getdents64?.(NONE, buffer)).toBe(-1);
  });

  test("a lock is one opener's until that has closed the file", () => {
    fs.writeFileSync(folder.join("f"), "");
    const first = fs.openSync(folder.join("f"), "r");
    const second = open(folder.join("f"));
    expect(libc().tryLock?.(first)).toBe(true);
    expect(libc().tryLock?.(second)).toBe(false);
    fs.closeSync(first);
    expect(libc().tryLock?.(second)).toBe(true);
    expect(libc().tryLock?.(NONE)).toBe(false);
  });

  test("createAt makes a file to write to, which programs that are started don't get, and never opens one", () => {
    const at = open(folder.path);
    const umask = process.umask(0);
    // A long name first: nothing of it may be left in the next one.
    const [long = NONE, short = NONE] = ["a name that is longer", "short"].map((name) =>
      libc().createAt?.(at, name, 0o640),
    );
    process.umask(umask);
    opened.push(long, short);
    expect(fs.readdirSync(folder.path).sort()).toEqual(["a name that is longer", "short"]);
    expect(fs.fstatSync(short).mode & 0o777).toBe(0o640);
    expect(fs.writeSync(short, "x")).toBe(1);
    expect(flagsOf(short) & O_CLOEXEC).toBe(O_CLOEXEC);
    expect(libc().createAt?.(at, "short", 0o640)).toBe(-1);
    expect(libc().createAt?.(at, "ü".repeat(2_000), 0o640)).toBe(-1);
    expect(fs.readdirSync(folder.path)).toHaveLength(2);
  });

  test("openAt opens what is there, which programs that are started don't get, and follows no link if it shall not", () => {
    const { O_RDONLY, O_NOFOLLOW } = fs.constants;
    const at = open(folder.path);
    fs.writeFileSync(folder.join("é"), "content");
    fs.symlinkSync("é", folder.join("link"));
    const fd = libc().openAt?.(at, "é", O_RDONLY) ?? NONE;
    opened.push(fd);
    expect(fs.readFileSync(fd, "utf8")).toBe("content");
    expect(flagsOf(fd) & O_CLOEXEC).toBe(O_CLOEXEC);
    expect(libc().openAt?.(at, "link", O_RDONLY | O_NOFOLLOW)).toBe(-1);
    expect(libc().openAt?.(at, "none", O_RDONLY)).toBe(-1);
  });

  test("isWithinReach refuses an offset that no file has, and goes to any other, wherever the file was", () => {
    fs.writeFileSync(folder.join("f"), "abcdef");
    const fd = open(folder.join("f"));
    expect(libc().isWithinReach?.(fd, -1)).toBe(false);
    expect(libc().isWithinReach?.(fd, 0)).toBe(true);
    expect([2, 2].map((offset) => libc().isWithinReach?.(fd, offset))).toEqual([true, true]);
    const next = Buffer.alloc(1);
    fs.readSync(fd, next, 0, 1, null);
    expect(next.toString()).toBe("c");
  });

  test("seek finds the next hole and the next data; infinity where there are none, undefined where it fails", () => {
    const fd = open(folder.join("f"), "w+");
    fs.writeSync(fd, "x", HOLE);
    fs.ftruncateSync(fd, 3 * HOLE);
    const { seek } = libc();
    expect(seek?.data(fd, 0)).toBe(HOLE);
    expect(seek?.hole(fd, 0)).toBe(0);
    const hole = seek?.hole(fd, HOLE) ?? 0;
    expect(hole).toBeGreaterThan(HOLE);
    expect(hole).toBeLessThanOrEqual(2 * HOLE);
    expect(seek?.data(fd, 2 * HOLE)).toBe(Number.POSITIVE_INFINITY);
    expect(seek?.hole(fd, 4 * HOLE)).toBeUndefined();
    expect([seek?.data(NONE, 0), seek?.hole(NONE, 0)]).toEqual([undefined, undefined]);
  });

  test("inotify reports what it watches without blocking, until that is removed; programs don't get it", () => {
    const IN_CREATE = 0x100;
    const { inotify } = libc();
    const instance = inotify?.init() ?? NONE;
    opened.push(instance);
    expect(flagsOf(instance) & O_CLOEXEC).toBe(O_CLOEXEC);
    const events = Buffer.alloc(4_096);
    const read = () => fs.readSync(instance, events, 0, events.length, null);
    const watch = inotify?.add(instance, folder.path, IN_CREATE) ?? NONE;
    expect(inotify?.add(instance, folder.path, IN_CREATE)).toBe(watch);
    expect(inotify?.add(instance, folder.join("none"), IN_CREATE)).toBe(-1);
    expect(read).toThrow(expect.objectContaining({ code: "EAGAIN" }));
    fs.writeFileSync(folder.join("new"), "");
    const { length } = Buffer.from(events.subarray(0, read()));
    expect(events.toString("latin1", 0, length)).toContain("new\0");
    expect(events.readInt32LE(0)).toBe(watch);
    inotify?.remove(instance, watch);
    read(); // that it was removed
    fs.writeFileSync(folder.join("later"), "");
    expect(read).toThrow(expect.objectContaining({ code: "EAGAIN" }));
  });
});
