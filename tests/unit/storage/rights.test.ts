import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, mkdirSync, openSync, statSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { narrow, withoutGroup } from "../../../lib/storage/local/rights.ts";
import { store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const EITHER = [
  ["a small file", noise(1_000)],
  ["a large file", noise(BLOCK_BYTES + 7, 2)],
] as const;

const modeOf = (path: string) => octal(statSync(path).mode & 0o7777);

function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}

/** With what each is called in a test's name in front: there is no sign for octal numbers. */
function named<T extends readonly unknown[]>(rows: readonly T[]): [string, ...T][] {
  return rows.map((row) => [
    row.map((cell) => (typeof cell === "number" ? octal(cell) : String(cell))).join(", "),
    ...row,
  ]);
}

function withUmask<T>(umask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(umask);
  return work().finally(() => process.umask(before));
}

describe.if(process.platform !== "win32")("what is new", () => {
  describe.each(EITHER)("%s", (_, content) => {
    test.each(
      named([
        [0o022, 0o600, 0o600],
        [0o022, 0o640, 0o640],
        [0o022, 0o666, 0o644],
        [0o022, 0o755, 0o755],
        [0o022, 0o777, 0o755],
        [0o000, 0o666, 0o666],
        [0o000, 0o604, 0o604],
        [0o077, 0o755, 0o700],
        [0o027, 0o444, 0o440],
        [0o022, 0o400, 0o400],
        [0o022, 0o000, 0o000],
      ]),
    )("with the umask, the mode of the source and its own: %s", async (_, umask, mode, expected) => {
      using folder = new TempFolder();
      const storage = await LocalStorage.ofUser(folder.path);
      // What its owner may do says the mode, not `executable`.
      await withUmask(umask, () => store(storage, "a", content, { mode, executable: true }));
      expect(modeOf(folder.join("a"))).toBe(octal(expected));
    });

    test.each(
      named<[number, boolean, number]>([
        [0o022, false, 0o644],
        [0o022, true, 0o755],
        [0o077, true, 0o700],
        [0o002, false, 0o664],
      ]),
    )(
      "of a source without modes, with the umask, executable or not, and its own mode: %s",
      async (_, umask, executable, expected) => {
        using folder = new TempFolder();
        const storage = await LocalStorage.ofUser(folder.path);
        await withUmask(umask, () => store(storage, "a", content, { executable }));
        expect(modeOf(folder.join("a"))).toBe(octal(expected));
      },
    );

    test("of a source with bits above the nine has none of them", async () => {
      using folder = new TempFolder();
      writeFileSync(folder.join("tool"), content);
      chmodSync(folder.join("tool"), 0o6755);
      mkdirSync(folder.join("sticky"));
      chmodSync(folder.join("sticky"), 0o3777);
      const storage = await LocalStorage.ofUser(folder.path);
      expect((await storage.stat("tool")).mode).toBe(0o755);
      expect((await storage.stat("sticky")).mode).toBe(0o777);
      expect((await storage.load("tool", content.length))?.entry.mode).toBe(0o755);
      const file = await storage.open("tool");
      expect(file.entry.mode).toBe(0o755);
      await file.close();
    });

    test.skipIf(noPermissionTests !== undefined)(
      permissionTest("is whole also where its owner may not write it, or not even read it"),
      async () => {
        using folder = new TempFolder();
        await unprivileged(folder.path, async () => {
          const storage = await LocalStorage.ofUser(folder.path);
          await withUmask(0o022, () => store(storage, "read-only", content, { mode: 0o444 }));
          await withUmask(0o022, () => store(storage, "closed", content, { mode: 0 }));
        });
        expect([modeOf(folder.join("read-only")), modeOf(folder.join("closed"))]).toEqual(["444", "000"]);
        expect(Buffer.from(await Bun.file(folder.join("closed")).bytes()).equals(content)).toBe(true);
      },
    );
  });

  test.each(
    named<[number, number | undefined, number]>([
      [0o022, undefined, 0o755],
      [0o022, 0o700, 0o700],
      [0o022, 0o777, 0o755],
      [0o077, 0o755, 0o700],
      [0o002, 0o2775 & 0o777, 0o775],
      [0o022, 0o500, 0o700],
      [0o022, 0o050, 0o750],
    ]),
  )(
    "a folder while it is filled, with the umask, the mode of the source and its own: %s",
    async (_, umask, mode, expected) => {
      using folder = new TempFolder();
      const storage = await LocalStorage.ofUser(folder.path);
      expect(await withUmask(umask, () => storage.makeFolder("a/b", mode))).toBe(true);
      expect(modeOf(folder.join("a/b"))).toBe(octal(expected));
      expect(modeOf(folder.join("a"))).toBe(octal(0o777 & ~umask));
    },
  );

  test("a folder that is finished has no more than its source", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.ofUser(folder.path);
    for (const mode of [0o500, 0o555, 0o070]) {
      await withUmask(0o022, () => storage.makeFolder(`m${mode}`, mode));
      await storage.finishFolder(`m${mode}`, mode);
      expect(modeOf(folder.join(`m${mode}`))).toBe(octal(mode & ~0o022));
    }
  });

  test("a folder that was there stays as it is", async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("a"));
    chmodSync(folder.join("a"), 0o750);
    const storage = await LocalStorage.ofUser(folder.path);
    expect(await storage.makeFolder("a", 0o777)).toBe(false);
    expect(modeOf(folder.join("a"))).toBe("750");
  });
});

test.skipIf(process.platform === "win32").each(
  named([
    [0o645, 0o644, 0o644],
    [0o640, 0o644, 0o640],
    [0o600, 0o400, 0o400],
    [0o777, 0o711, 0o711],
    [0o640, 0o204, 0o200],
  ]),
)(
  "an open file loses what it has too much, and gets nothing: its mode, the most, and what is left: %s",
  (_, before, most, expected) => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "x");
    const fd = openSync(folder.join("a"), "r");
    chmodSync(folder.join("a"), before);
    narrow(fd, most);
    closeSync(fd);
    expect(modeOf(folder.join("a"))).toBe(octal(expected));
  },
);

test.each(
  named([
    [0o640, 0o600],
    [0o644, 0o644],
    [0o664, 0o644],
    [0o604, 0o600],
    [0o751, 0o711],
    [0o777, 0o777],
  ]),
)("what is left of a mode for another group: %s", (_, mode, expected) => {
  expect(octal(withoutGroup(mode))).toBe(octal(expected));
});
