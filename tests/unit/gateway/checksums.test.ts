import { describe, expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { Checksums, RunningChecksum } from "../../../lib/gateway/checksums.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type { OpenFile, StorageEntry } from "../../../lib/storage/storage.ts";
import { facade } from "../../support/facade.ts";
import { codeOf } from "../../support/fault.ts";
import { noise } from "../../support/transport-recorder.ts";

const KIB = 1024;
const wanted = () => true;

/** Files in memory that come 100 KiB at a time, and what is open of them. */
function site() {
  const memory = new MemoryStorage();
  const state = { opened: 0, open: 0, read: 0 };
  const storage = facade(memory, {
    async open(path: string): Promise<OpenFile> {
      const file = await memory.open(path);
      state.opened++;
      state.open++;
      return facade<OpenFile>(file, {
        async read(buffer, position) {
          const bytes = await file.read(buffer.subarray(0, 100 * KIB), position);
          state.read += bytes;
          return bytes;
        },
        async close() {
          state.open--;
          await file.close();
        },
      });
    },
  });
  return { memory, storage, state, checksums: new Checksums() };
}

describe("the CRC-32 of files", () => {
  test.each([0, 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 700 * KIB])(
    "of %i bytes is that of all of them",
    async (size) => {
      const { memory, storage, state, checksums } = site();
      memory.set("a", noise(size));
      expect(await checksums.of(await memory.stat("a"), storage, wanted)).toBe(crc32(noise(size)));
      expect(state).toEqual({ opened: 1, open: 0, read: size });
    },
  );

  test("is computed once for each state of a file, or not at all when it was noted", async () => {
    const { memory, storage, state, checksums } = site();
    memory.set("a", noise(10));
    const first = await memory.stat("a");
    await checksums.of(first, storage, wanted);
    expect(await checksums.of(first, storage, wanted)).toBe(crc32(noise(10)));
    expect(state.opened).toBe(1);
    memory.set("a", noise(11));
    const second = await memory.stat("a");
    expect(await checksums.of(second, storage, wanted)).toBe(crc32(noise(11)));
    expect(state.opened).toBe(2);
    checksums.note({ ...second, path: "b" }, 5);
    expect(await checksums.of({ ...second, path: "b" }, storage, wanted)).toBe(5);
  });

  test("of a folder is none, and opens nothing", async () => {
    const { memory, storage, state, checksums } = site();
    await memory.makeFolder("d");
    expect([await checksums.of(await memory.stat("d"), storage, wanted), state.opened]).toEqual([0, 0]);
  });

  test("of a file that is another by now, or shorter, is CHANGED, and it is closed", async () => {
    const { memory, storage, state, checksums } = site();
    memory.set("a", noise(10));
    const entry = await memory.stat("a");
    memory.set("a", noise(11));
    expect(await codeOf(() => checksums.of(entry, storage, wanted))).toBe("CHANGED");
    const longer: StorageEntry = { ...(await memory.stat("a")), size: 12 };
    expect(await codeOf(() => checksums.of(longer, storage, wanted))).toBe("CHANGED");
    expect(state.open).toBe(0);
  });

  test.each([10, 256 * KIB, 300 * KIB])(
    "of a file of %i bytes that grows meanwhile leaves out what is new",
    async (size) => {
      const { memory, storage, checksums } = site();
      memory.set("a", noise(size));
      const entry = await memory.stat("a");
      memory.set("a", noise(size + 100));
      const grown = await storage.open("a");
      const growing = facade(storage, { open: async () => facade<OpenFile>(grown, { entry }) });
      expect(await checksums.of(entry, growing, wanted)).toBe(crc32(noise(size + 100).subarray(0, size)));
    },
  );

  test("is computed no further when nobody wants it any more", async () => {
    const { memory, storage, state, checksums } = site();
    memory.set("a", noise(1000 * KIB));
    const isWanted = () => state.read < 300 * KIB;
    expect(await codeOf(async () => checksums.of(await memory.stat("a"), storage, isWanted))).toBe("CHANGED");
    expect(state).toEqual({ opened: 1, open: 0, read: 300 * KIB });
  });

  test("follows a file that is sent", () => {
    const running = new RunningChecksum();
    expect(running.value).toBe(0);
    running.update(noise(10).subarray(0, 4));
    running.update(noise(10).subarray(4));
    expect(running.value).toBe(crc32(noise(10)));
  });
});
