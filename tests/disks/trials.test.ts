/** Files that storage makes to try something out: in somebody's folder, and gone a moment later. */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { discardFile } from "../../lib/storage/local/discard-file.ts";
import { KeptTimes } from "../../lib/storage/local/kept-times.ts";
import { hasFlock } from "../../lib/storage/local/locks/lock-probe.ts";
import { OpenFolder } from "../../lib/storage/local/open-folder.ts";
import { writeFault } from "../../lib/storage/local/write-probe.ts";
import { DISKS } from "../support/disks.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { until } from "../support/until.ts";

const TIMES = 20;

/** By what makes and removes a file. */
const TRIALS: Readonly<Record<string, (folder: OpenFolder, path: string) => unknown>> = {
  "the times that it keeps": (folder) => {
    const file = openSync(folder.at("other"), "w");
    closeSync(file);
    new KeptTimes().isKept(folder, folder.look("other"), Number(folder.look("other").mtimeMs) + 1);
  },
  "whether it can be written": (_, path) => expect(writeFault(path)).toBeUndefined(),
  "its locks": (folder) => hasFlock(folder, "a"),
  "a file that is not wanted any more": (folder) => discardFile(folder.create("b", 0o600), folder.at("b")),
};

for (const kind of DISKS) {
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test.each(Object.entries(TRIALS))("a trial of %s leaves nothing", async (_, attempt) => {
      await using disk = await kind.open();
      const before = [...readdirSync(disk.path), "other"];
      const folder = OpenFolder.open(disk.path);
      try {
        for (let time = 0; time < TIMES; time++) attempt(folder, disk.path);
      } finally {
        folder.release();
      }
      await until(() => readdirSync(join(disk.path)).every((name) => before.includes(name)));
    });
  });
}
