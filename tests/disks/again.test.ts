import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExistsPolicy } from "../../lib/storage/storage.ts";
import { DISKS } from "../support/disks.ts";
import { type Method, move } from "../support/folder-transfer.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { until } from "../support/until.ts";

const METHODS = ["get", "put"] as const satisfies readonly Method[];
const POLICIES = ["fail", "overwrite", "skip", "rename"] as const satisfies readonly ExistsPolicy[];
/** Such as no coarse clock has: of an odd second, and before and behind what some disks can hold. */
const MODIFIED_AT = Date.UTC(2024, 5, 1, 12, 0, 1) + 987;
const EARLY = Date.UTC(1971, 0, 1);
const LATE = Date.UTC(2060, 0, 1);

function write(folder: string, files: Record<string, { content: string | Uint8Array; modifiedAt: number }>): void {
  for (const [name, { content, modifiedAt }] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    utimesSync(join(folder, name), new Date(modifiedAt), new Date(modifiedAt));
  }
}

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    const outcomes = (told: { done: readonly { path: string; outcome: string }[] }) =>
      Object.fromEntries(told.done.map(({ path, outcome }) => [path, outcome]));

    test.each(METHODS)(
      "the same %s again finds every file unchanged, whatever shall become of others",
      async (method) => {
        await using disk = await kind.open();
        using source = new TempFolder();
        write(source.path, {
          small: { content: "small", modifiedAt: MODIFIED_AT },
          large: {
            content: new Uint8Array(2 * BLOCK),
            modifiedAt: MODIFIED_AT + 1,
          },
          early: { content: "early", modifiedAt: EARLY },
          late: { content: "late", modifiedAt: LATE },
        });
        const first = await move(method, source.path, disk.path);
        expect(first.failed).toEqual([]);
        expect(outcomes(first)).toEqual({ small: "stored", large: "stored", early: "stored", late: "stored" });
        const names = readdirSync(disk.path).sort();
        for (const exists of POLICIES) {
          const again = await move(method, source.path, disk.path, { exists });
          expect(again.failed).toEqual([]);
          expect(outcomes(again)).toEqual({
            small: "unchanged",
            large: "unchanged",
            early: "unchanged",
            late: "unchanged",
          });
          // A put sends small ones before it hears of them.
          expect(again.bytes).toBeLessThan(2 * BLOCK);
        }
        // FUSE keeps what was replaced under a name of its own until the last who has it open has closed it.
        await until(() => readdirSync(disk.path).every((name) => !name.startsWith(".fuse_hidden")));
        expect(readdirSync(disk.path).sort()).toEqual(names);
      },
    );

    test.each(METHODS)("a %s sees another size, and another time that the disk can tell", async (method) => {
      await using disk = await kind.open();
      using source = new TempFolder();
      const from = source.join("from");
      mkdirSync(from);
      write(from, { a: { content: "one", modifiedAt: MODIFIED_AT }, b: { content: "one", modifiedAt: MODIFIED_AT } });
      await move(method, from, disk.path);
      write(from, {
        a: { content: "four", modifiedAt: MODIFIED_AT },
        b: { content: "two", modifiedAt: MODIFIED_AT + kind.timeStep },
      });
      const told = await move(method, from, disk.path);
      expect(told.failed).toEqual([]);
      expect(outcomes(told)).toEqual({ a: "stored", b: "stored" });
    });
  });
}
