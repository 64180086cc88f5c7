import { afterEach, expect, mock, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import * as os from "node:os";
import { defaultMemory } from "../../../lib/daemon/default-memory.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

afterEach(() => {
  mock.restore();
});

/** The default on a machine with so much memory, where these files hold the limits of the process's group. */
function memoryOf(total: number, files: Record<string, string> = {}): number {
  spyOn(os, "totalmem").mockReturnValue(total);
  spyOn(fs, "readFileSync").mockImplementation(((file: string) => {
    const text = files[file];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  }) as unknown as typeof fs.readFileSync);
  return defaultMemory() / MIB;
}

const VERSION_2 = "/sys/fs/cgroup/memory.max";
const VERSION_1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";

test("a server gives its clients a sixteenth of the machine's memory, from 64 MiB to 128 MiB", () => {
  expect([1, 1.5, 2, 64].map((gib) => memoryOf(gib * GIB))).toEqual([64, 96, 128, 128]);
  expect(memoryOf(256 * MIB)).toBe(64);
});

test("in a group of processes with less memory it gives a sixteenth of that", () => {
  expect(memoryOf(64 * GIB, { [VERSION_2]: `${1.5 * GIB}\n` })).toBe(96);
  expect(memoryOf(64 * GIB, { [VERSION_1]: `${1.5 * GIB}\n` })).toBe(96);
});

test("a group without a limit, or with one above the machine's memory, has the machine's", () => {
  expect(memoryOf(1.5 * GIB, { [VERSION_2]: "max\n" })).toBe(96);
  expect(memoryOf(1.5 * GIB, { [VERSION_1]: "9223372036854771712\n" })).toBe(96);
  expect(memoryOf(1.5 * GIB, { [VERSION_2]: "0\n" })).toBe(96);
});
