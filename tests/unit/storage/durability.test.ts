import { describe, expect, test } from "bun:test";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { callsOf, missingTrace } from "../../support/traced-calls.ts";

const missing = missingTrace();

/** Its calls, those left out that are about locks. */
async function watch(script: string): Promise<string[]> {
  if (missing !== undefined) throw new Error(missing);
  using folder = new TempFolder();
  return (await callsOf(folder.path, script)).filter((call) => !call.includes("lock"));
}

describe.skipIf(isSkipped(missing))(
  namedWhy("what a power failure leaves, by the calls of the system", missing),
  () => {
    test("a small file is on the disk before it has its name, and its name before it is reported", async () => {
      const calls = await watch(`
      await store(storage, "a", new Uint8Array(10));
      await storage.remove("a", { recursive: false });`);
      expect(calls.slice(0, 4)).toEqual(["fsync a.part", "rename a.part a", "fsync .", "unlink a"]);
    });

    test("so is a file that came block by block", async () => {
      const calls = await watch(`
      await store(storage, "a", new Uint8Array(3_000_000));
      await storage.remove("a", { recursive: false });`);
      expect(calls.filter((call) => !call.includes("journal")).slice(0, 4)).toEqual([
        "fsync a.part",
        "rename a.part a",
        "fsync .",
        "unlink a",
      ]);
    });

    test("one that replaces another is on the disk before the other has gone", async () => {
      const calls = await watch(`
      await store(storage, "a", new Uint8Array(10));
      await store(storage, "a", new Uint8Array(20), { exists: "overwrite" });`);
      expect(calls.slice(3)).toEqual(["fsync a.part", "rename a.part a", "fsync ."]);
    });

    test("a removal is reported when it is on the disk", async () => {
      const calls = await watch(`
      await store(storage, "a", new Uint8Array(10));
      await storage.remove("a", { recursive: false });
      writePrivate(folder + "/told", "");`);
      expect(calls.slice(3)).toEqual(["unlink a", "fsync .", "fsync told.new", "rename told.new told"]);
    });

    test("a move is reported when both folders are on the disk", async () => {
      const calls = await watch(`
      await store(storage, "from/a", new Uint8Array(10));
      await storage.rename("from/a", "to/a", { overwrite: false });
      writePrivate(folder + "/told", "");`);
      const moved = calls.findIndex((call) => /^(?:rename|unlink) from\/a(?: |$)/.test(call));
      expect(moved).toBeGreaterThan(0);
      const told = calls.indexOf("fsync told.new");
      expect(calls.slice(moved + 1, told)).toEqual(expect.arrayContaining(["fsync from", "fsync to"]));
    });

    test("a file in new folders is reported when their names are on the disk, too", async () => {
      const whole = { small: 10, large: 3_000_000 };
      for (const [name, size] of Object.entries(whole)) {
        const calls = await watch(`
        await store(storage, "new/below/${name}", new Uint8Array(${size}));
        writePrivate(folder + "/told", "");`);
        const told = calls.indexOf("fsync told.new");
        expect(told).toBeGreaterThan(0);
        expect(calls.slice(0, told)).toEqual(expect.arrayContaining(["fsync .", "fsync new", "fsync new/below"]));
      }
    });

    test("so is one that was moved into new folders", async () => {
      const calls = await watch(`
      await store(storage, "a", new Uint8Array(10));
      await storage.rename("a", "new/below/a", { overwrite: false });
      writePrivate(folder + "/told", "");`);
      const told = calls.indexOf("fsync told.new");
      expect(calls.slice(3, told)).toEqual(expect.arrayContaining(["fsync .", "fsync new", "fsync new/below"]));
    });

    test("a private file is on the disk before it takes the place of what was there", async () => {
      const calls = await watch(`writePrivate(folder + "/key", "secret");`);
      expect(calls).toEqual(["fsync key.new", "rename key.new key"]);
    });
  },
);
