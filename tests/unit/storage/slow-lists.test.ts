/** A list asks the disk on the event loop while that answers from memory, and on other threads as soon as it waits. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { TimedCalls } from "../../../lib/storage/local/timed-calls.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;
let restore: (() => void)[];
/** By which the clock goes on between two looks at it. */
let stepMs: number;
let waits: number;

beforeEach(() => {
  folder = new TempFolder();
  stepMs = 0.1;
  waits = 0;
  let now = 0;
  const clock = spyOn(performance, "now").mockImplementation(() => (now += stepMs));
  restore = [() => clock.mockRestore(), withCalls({ waits: () => waits })];
});

afterEach(() => {
  for (const each of restore) each();
  folder[Symbol.dispose]();
});

/** Replace calls of the C library. @returns what puts them back */
function withCalls(calls: Partial<ReturnType<typeof libc>>): () => void {
  const before = { ...libc() };
  Object.assign(libc(), calls);
  return () => void Object.assign(libc(), before);
}

describe("a call", () => {
  test("that is quick has not waited, even if something else has", () => {
    const calls = new TimedCalls();
    waits++;
    expect(calls.hasWaited()).toBe(false);
  });

  test("that takes long has waited if the thread has", () => {
    const calls = new TimedCalls();
    stepMs = 1;
    waits++;
    expect(calls.hasWaited()).toBe(true);
  });

  test("that takes long has not waited if only others had the processor", () => {
    const calls = new TimedCalls();
    stepMs = 1;
    expect([calls.hasWaited(), calls.hasWaited()]).toEqual([false, false]);
  });

  test("that takes long has waited where the system does not tell", () => {
    restore.push(withCalls({ waits: undefined }));
    const calls = new TimedCalls();
    stepMs = 1;
    expect([calls.hasWaited(), calls.hasWaited()]).toEqual([true, true]);
  });
});

describe("a list", () => {
  const names = Array.from({ length: 300 }, (_, index) => `file-${index}`);

  beforeEach(() => {
    writeTree(folder.path, Object.fromEntries(names.map((name) => [name, name])));
    mkdirSync(folder.join("sub"));
    writeFileSync(folder.join("bad\u0001name"), "");
    writeFileSync(folder.join("x.commserver-part"), "");
    symlinkSync("file-7", folder.join("link"));
    symlinkSync("nowhere", folder.join("dangling"));
  });

  test("is the same from a disk that lets it wait, and hardly asks on the event loop then", async () => {
    const storage = await LocalStorage.at(folder.path);
    const expected = await walk(storage);
    expect(expected.entries).toHaveLength(names.length + 3);
    expect(expected.skipped).toBe(1);
    const { statAt } = libc();
    let asked = 0;
    const counted = (fd: number, name: string) => {
      asked++;
      return statAt?.(fd, name);
    };
    restore.push(withCalls({ waits: () => waits++, ...(statAt !== undefined && { statAt: counted }) }));
    stepMs = 1;
    expect(await walk(storage)).toEqual(expected);
    expect(asked).toBeLessThan(names.length / 10);
  });

  test.skipIf(libc().statAt === undefined)("is the same without the system's own call", async () => {
    const storage = await LocalStorage.at(folder.path);
    const expected = await walk(storage);
    restore.push(withCalls({ statAt: undefined }));
    expect(await walk(storage)).toEqual(expected);
  });
});
