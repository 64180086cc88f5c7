import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { join } from "node:path";
import { JournalLock } from "../../../lib/storage/local/locks/journal-lock.ts";
import { OpenFolder } from "../../../lib/storage/local/open-folder.ts";
import { OWN_FILE } from "../../../lib/storage/local/rights.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const NAME = "a.commserver-journal";

/** `folder`, but its last holder removes the journal just before a path in it is asked for the `call`th time. */
function removedAt(folder: OpenFolder, path: string, call: number): { folder: OpenFolder; asked(): number } {
  let asked = 0;
  const watched = Object.create(folder, {
    at: {
      value(name: string) {
        if (++asked === call) fs.rmSync(path, { force: true });
        return folder.at(name);
      },
    },
  });
  return { folder: watched, asked: () => asked };
}

describe("a JournalLock, while the last holder removes the journal", () => {
  test("is taken, whatever the moment in which that happens", () => {
    for (let call = 1; ; call++) {
      using dir = new TempFolder();
      const path = join(dir.path, NAME);
      fs.writeFileSync(path, "");
      const opened = OpenFolder.open(dir.path);
      try {
        const { folder, asked } = removedAt(opened, path, call);
        const lock = JournalLock.take(folder, NAME, OWN_FILE);
        expect(fs.fstatSync(lock.fd).ino).toBe(fs.lstatSync(path).ino);
        lock.release();
        if (asked() < call) return expect(call).toBeGreaterThan(2);
      } finally {
        opened.release();
      }
    }
  });
});
