import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { ExistsPolicy } from "../../lib/storage/storage.ts";
import { DISKS } from "../support/disks.ts";
import { codeOf } from "../support/fault.ts";
import { move } from "../support/folder-transfer.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";

const METHODS = ["get", "put"] as const;
/** Files of several sizes, and folders, which some disks take for one. */
const PAIRS: Record<string, Record<string, Uint8Array>> = {
  "small files": { "IMG_1.JPG": noise(100, 1), "img_1.jpg": noise(100, 2), "Img_1.jpg": noise(90, 3) },
  "a large and a small file": { "BIG.bin": noise(2 * BLOCK, 1), "big.bin": noise(50, 2) },
  "a small and a large file": { "BIG.bin": noise(50, 2), "big.bin": noise(2 * BLOCK, 1) },
  "files of folders": { "Trip/a.jpg": noise(100, 1), "trip/A.jpg": noise(100, 2), "trip/b.jpg": noise(10, 3) },
};

/** Each has a time of its own: one of the same size and time counts as unchanged, however its name is spelled. */
function write(folder: string, files: Record<string, Uint8Array>): void {
  for (const [index, [path, content]] of Object.entries(files).entries()) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
    const seconds = 1_700_000_000 + 10 * index;
    utimesSync(join(folder, path), seconds, seconds);
  }
}

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    // One of each kind is enough.
    const isTried = kind.isCaseless || kind.name === "tmpfs";
    for (const [what, files] of Object.entries(isTried ? PAIRS : {})) {
      for (const exists of ["overwrite", "fail", "skip", "rename"] as const satisfies readonly ExistsPolicy[]) {
        test.each(METHODS)(`a %s replaces none of its own ${what} by another: ${exists}`, async (method) => {
          await using disk = await kind.open();
          using source = new TempFolder();
          write(source.path, files);
          for (let turn = 0; turn < 2; turn++) {
            const told = await move(method, source.path, disk.path, { exists });
            // What was told to be there is there, as it was sent.
            for (const { path, outcome } of told.done) {
              if (outcome === "skipped" || files[path] === undefined) continue;
              expect(readFileSync(join(disk.path, path)).equals(files[path])).toBe(true);
            }
            const isOne = kind.isCaseless === true && exists !== "rename";
            const stored = told.done.filter(({ path, outcome }) => outcome !== "skipped" && files[path] !== undefined);
            if (!kind.isCaseless) expect(stored).toHaveLength(Object.keys(files).length);
            else if (isOne) expect(stored.length).toBeLessThan(Object.keys(files).length);
            for (const { code } of told.failed) expect(["SAME_NAME", "EXISTS", "BUSY"]).toContain(code);
            if (exists === "overwrite" && kind.isCaseless) expect(told.codes.join()).toMatch(/SAME_NAME|BUSY/);
          }
          if (exists === "rename") {
            const there = readdirSync(disk.path, { recursive: true, withFileTypes: true }).filter((entry) =>
              entry.isFile(),
            );
            expect(there).toHaveLength(Object.keys(files).length);
          }
        });
      }
    }

    // Of those that keep it one is enough.
    const isDotTried = kind.cutsDots || kind.name === "tmpfs";
    test.each(isDotTried ? METHODS : [])(
      "a %s does not replace a name by the same name with a trailing dot",
      async (method) => {
        const files: Record<string, Uint8Array> = {
          photo: noise(100, 1),
          "photo.": noise(100, 2),
          "photo..": noise(2 * BLOCK, 3),
        };
        for (const exists of ["overwrite", "fail", "skip"] as const) {
          await using disk = await kind.open();
          using source = new TempFolder();
          write(source.path, files);
          for (let turn = 0; turn < 2; turn++) {
            const told = await move(method, source.path, disk.path, { exists });
            const stored = told.done.filter(({ path, outcome }) => outcome !== "skipped" && files[path] !== undefined);
            for (const { path } of stored) {
              expect(readFileSync(join(disk.path, path)).equals(files[path] ?? noise(1))).toBe(true);
            }
            expect(stored.length).toBe(kind.cutsDots ? 1 : 3);
            for (const { code } of told.failed) expect(["SAME_NAME", "EXISTS", "BUSY", "BAD_PATH"]).toContain(code);
          }
        }
      },
    );

    test("a name can be written in another way, of a file and of a folder", async () => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      write(disk.path, { "photo.jpg": noise(10), "docs/a": noise(10) });
      await storage.rename("photo.jpg", "Photo.JPG", { overwrite: false });
      await storage.rename("docs", "Docs", { overwrite: false });
      expect(
        readdirSync(disk.path)
          .filter((name) => name !== "lost+found")
          .sort(),
      ).toEqual(["Docs", "Photo.JPG"]);
      expect(readFileSync(join(disk.path, "Photo.JPG")).equals(noise(10))).toBe(true);
      expect(readdirSync(join(disk.path, "Docs"))).toEqual(["a"]);
    });

    test("a name that is another's is EXISTS, however it is written", async () => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      write(disk.path, { one: noise(10), other: noise(20) });
      expect(await codeOf(() => storage.rename("one", "other", { overwrite: false }))).toBe("EXISTS");
      const again = await storage.rename("one", "OTHER", { overwrite: false }).then(
        () => "done",
        ({ code }) => code,
      );
      expect(again).toBe(kind.isCaseless ? "EXISTS" : "done");
    });
  });
}
