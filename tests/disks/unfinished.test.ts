import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { cleanUnfinished, STALE_MS } from "../../lib/server/cleaning.ts";
import { setTimes } from "../../lib/storage/local/file-io.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { DISKS } from "../support/disks.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test("a file that is about to get its name is not cleaned away, however old its source is", async () => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      const fd = openSync(join(disk.path, "a.12345678.commserver-part"), "wx");
      setTimes(fd, { modifiedAt: Date.UTC(2001, 0, 1) });
      closeSync(fd);
      const cleaned: unknown[] = [];
      await cleanUnfinished(storage, Date.now(), (event) => cleaned.push(event));
      expect(cleaned).toEqual([]);
      // A day more for disks that keep the day alone.
      await cleanUnfinished(storage, Date.now() + STALE_MS + 86_400_000, (event) => cleaned.push(event));
      expect(cleaned).toMatchObject([{ event: "cleaned", path: "a.12345678.commserver-part" }]);
    });
  });
}
