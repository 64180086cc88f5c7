import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Folders, move } from "../support/folder-transfer.ts";
import { Random } from "../support/random.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../support/small-disk.ts";
import { sha256Of, type Told, type TransferChoice } from "../support/transfers.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../support/unprivileged.ts";

const random = new Random("disks");

describe.skipIf(noPermissionTests !== undefined)("a folder that may not be written to", () => {
  test.each([
    ["get", "DISK_DENIED"],
    ["put", "UNWRITABLE"],
  ] as const)(permissionTest("fails each file of a %s with %s, and leaves nothing"), async (method, code) => {
    using folders = new Folders(random.bytes(2 * BLOCK));
    writeFileSync(`${folders.from}/small`, "small");
    chmodSync(folders.to, 0o555);
    const told = await unprivileged(folders.path, () => move(method, folders.from, folders.to));
    expect(told.done).toEqual([]);
    expect(told.failed.sort((a, b) => a.path.localeCompare(b.path))).toMatchObject([
      { path: "f", code },
      { path: "small", code },
    ]);
    expect(folders.names).toEqual([]);
  });

  test.each([
    ["get", "UNREADABLE"],
    ["put", "DISK_DENIED"],
  ] as const)(
    permissionTest("a source that may not be read fails a %s with %s, and the others go on"),
    async (method, code) => {
      using folders = new Folders(random.bytes(2 * BLOCK));
      writeFileSync(`${folders.from}/small`, "small");
      chmodSync(folders.file, 0);
      chmodSync(folders.to, 0o777);
      const told = await unprivileged(folders.path, () => move(method, folders.from, folders.to));
      expect(told.failed).toMatchObject([{ path: "f", code }]);
      expect(folders.names).toEqual(["small"]);
    },
  );
});

describe.skipIf(noSmallDisk !== undefined)("a disk that is full", () => {
  const codes = { get: "DISK_FULL", put: "NO_SPACE" };
  const size = 8 * BLOCK + 5;

  /** The codes with which it failed: of a file, or as a whole. */
  async function failures(work: Promise<Told>): Promise<string[]> {
    return work.then(
      ({ codes }) => codes,
      ({ code }) => [code],
    );
  }

  test.each(["get", "put"] as const)(
    smallDiskTest("for a %s from the beginning is told before anything moves"),
    async (method) => {
      using folders = new Folders(random.bytes(size));
      using disk = new SmallDisk(4 * BLOCK);
      let moved = 0;
      const work = move(method, folders.from, disk.path, {
        onProgress: (_: unknown, bytes: number) => {
          moved += bytes;
        },
      });
      expect(await failures(work)).toEqual([codes[method]]);
      expect(moved).toBe(0);
      expect(readdirSync(disk.path)).not.toContain("f");
    },
  );

  test.each(["get", "put"] as const)(
    smallDiskTest("in the middle of a %s keeps what has arrived, and the same command goes on when there is room"),
    async (method) => {
      using folders = new Folders(random.bytes(size));
      using disk = new SmallDisk(12 * BLOCK);
      let moved = 0;
      const count = (_: unknown, bytes: number) => {
        moved += bytes;
        // All room but that of about two blocks.
        if (moved >= 2 * BLOCK && !existsSync(disk.join("filler"))) fillUp(disk.join("filler"), 8 * BLOCK);
      };
      expect(await failures(move(method, folders.from, disk.path, { onProgress: count }))).toEqual([codes[method]]);
      expect(readdirSync(disk.path)).not.toContain("f");
      const kept = readdirSync(disk.path).find((name) => name.endsWith(".commserver-part"));
      expect(kept).toBeDefined();
      rmSync(disk.join("filler"));
      moved = 3 * BLOCK; // no second filler
      writeFileSync(disk.join("filler"), "");
      let movedAgain = 0;
      const told = await move(method, folders.from, disk.path, {
        paths: ["f"],
        onProgress: (_: unknown, bytes: number) => {
          movedAgain += bytes;
        },
      } as TransferChoice);
      expect(told.paths).toEqual(["f"]);
      expect(sha256Of(readFileSync(disk.join("f")))).toBe(sha256Of(readFileSync(folders.file)));
      // At least the two blocks that were there are not sent again.
      expect(movedAgain).toBeLessThanOrEqual(size - 2 * BLOCK);
      expect(readdirSync(disk.path).sort()).toEqual(["f", "filler"]);
    },
  );

  test.each(["get", "put"] as const)(
    smallDiskTest("for small files of a %s is told by name, and the same command goes on when there is room"),
    async (method) => {
      using folders = new Folders();
      for (let index = 0; index < 6; index++) writeFileSync(`${folders.from}/f${index}`, random.bytes(BLOCK / 2));
      using disk = new SmallDisk(2 * BLOCK);
      const first = failures(move(method, folders.from, disk.path));
      expect(new Set(await first)).toEqual(new Set([codes[method]]));
      for (const name of readdirSync(disk.path)) expect(statSync(disk.join(name)).size).toBe(BLOCK / 2);
      Bun.spawnSync(["mount", "-o", `remount,size=${8 * BLOCK}`, disk.path]);
      expect((await move(method, folders.from, disk.path)).failed).toEqual([]);
      for (let index = 0; index < 6; index++) {
        expect(sha256Of(readFileSync(disk.join(`f${index}`)))).toBe(
          sha256Of(readFileSync(`${folders.from}/f${index}`)),
        );
      }
    },
  );
});

function fillUp(path: string, bytes: number): void {
  try {
    writeFileSync(path, new Uint8Array(bytes));
  } catch {
    // full, as it shall be
  }
}
