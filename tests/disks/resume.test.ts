import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { DISKS } from "../support/disks.ts";
import { type Method, move } from "../support/folder-transfer.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { receiveElsewhere } from "../support/part-process.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { factsOf, writeMissing } from "../support/storing.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";
import { until } from "../support/until.ts";

const SIZE = 12 * BLOCK + 5;
const MODIFIED_AT = new Date(Date.UTC(2024, 5, 1, 12, 0, 2));

/** A transfer that is given up when some blocks have come. */
async function interrupted(method: Method, from: string, to: string): Promise<void> {
  const abort = new AbortController();
  let moved = 0;
  const onProgress = (_: unknown, bytes: number) => {
    moved += bytes;
    if (moved >= 6 * BLOCK) abort.abort();
  };
  await move(method, from, to, { paths: ["f"], onProgress, signal: abort.signal } as object).catch(() => {});
  // A server lets go of it when it has heard of the end.
  await until(() => !readdirSync(to).includes("f.commserver-lock"));
  expect(readdirSync(to).sort()).toEqual(["f.commserver-journal", "f.commserver-part"]);
}

/** Make the source, and move a part of it. @returns its path */
async function begun(method: "get" | "put", from: string, to: string): Promise<string> {
  const source = join(from, "f");
  writeFileSync(source, noise(SIZE));
  utimesSync(source, MODIFIED_AT, MODIFIED_AT);
  await interrupted(method, from, to);
  return source;
}

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test.each(["get", "put"] as const)("a %s from there goes on when the disk was away meanwhile", async (method) => {
      await using disk = await kind.open();
      using target = new TempFolder();
      await begun(method, disk.path, target.path);
      await disk.remount?.();
      const { failed, restarts, bytes } = await move(method, disk.path, target.path, { paths: ["f"] } as object);
      expect({ failed, restarts }).toEqual({ failed: [], restarts: [] });
      expect(bytes).toBeLessThanOrEqual(SIZE - 5 * BLOCK);
      expect(readFileSync(target.join("f")).equals(noise(SIZE))).toBe(true);
    });

    test.each(["get", "put"] as const)(
      "a %s from there takes nothing of the file before that was replaced, of the same size and time",
      async (method) => {
        await using disk = await kind.open();
        using target = new TempFolder();
        const source = await begun(method, disk.path, target.path);
        writeFileSync(`${source}2`, noise(SIZE, 2));
        utimesSync(`${source}2`, MODIFIED_AT, MODIFIED_AT);
        renameSync(`${source}2`, source);
        await disk.remount?.();
        expect((await move(method, disk.path, target.path, { paths: ["f"] } as object)).failed).toEqual([]);
        expect(readFileSync(target.join("f")).equals(noise(SIZE, 2))).toBe(true);
      },
    );

    test("what comes there is gone on with after kill -9, and is whole", async () => {
      await using disk = await kind.open();
      const offsets = [0, BLOCK, 3 * BLOCK];
      await receiveElsewhere(disk.path, "f", { size: SIZE, seed: 3, offsets, ending: "crash" });
      await disk.remount?.();
      const content = noise(SIZE, 3);
      const storage = await LocalStorage.at(disk.path);
      const part = await storage.receive("f", factsOf(content), "fail");
      expect(part.present).toBe(3 * BLOCK);
      expect(await writeMissing(part, content)).toBe(SIZE - 3 * BLOCK);
      await part.commit();
      expect(readFileSync(join(disk.path, "f")).equals(content)).toBe(true);
      expect(statSync(join(disk.path, "f")).size).toBe(SIZE);
      expect(readdirSync(disk.path).filter((name) => name.includes("commserver"))).toEqual([]);
    });
  });
}
