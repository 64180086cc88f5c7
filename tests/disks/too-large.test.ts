import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { DISKS } from "../support/disks.ts";
import { codeOf } from "../support/fault.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { factsOf } from "../support/storing.ts";

const GIB = 1024 ** 3;

for (const kind of DISKS.filter(({ maxFile }) => maxFile !== undefined)) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test("a file above what a file can be is TOO_LARGE before its first byte, and leaves nothing", async () => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      const before = readdirSync(disk.path);
      const facts = { ...factsOf(new Uint8Array(0)), size: (kind.maxFile ?? 0) + GIB };
      expect(await codeOf(() => storage.receive("docs/a", facts, "fail"))).toBe("TOO_LARGE");
      expect(readdirSync(disk.path)).toEqual(before);
      // As large as may be it would only be too much for this disk.
      expect(await codeOf(() => storage.receive("a", { ...facts, size: facts.size - 2 * GIB }, "fail"))).toBe(
        "DISK_FULL",
      );
    });
  });
}
