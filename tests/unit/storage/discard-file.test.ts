import { expect, test } from "bun:test";
import { existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { discardFile } from "../../../lib/storage/local/discard-file.ts";
import { openBelow } from "../../support/open-files.ts";
import { TempFolder } from "../../support/temp-folder.ts";

test.skipIf(process.platform !== "linux")(
  "a file that is discarded is gone and closed, also when it was gone before",
  () => {
    using folder = new TempFolder();
    for (const isGone of [false, true]) {
      writeFileSync(folder.join("f"), "x");
      const fd = openSync(folder.join("f"), "r+");
      if (isGone) rmSync(folder.join("f"));
      discardFile(fd, folder.join("f"));
      expect(existsSync(folder.join("f"))).toBe(false);
    }
    expect(openBelow(folder.path)).toBe(0);
  },
);

test.skipIf(process.platform !== "linux")(
  "one that can't be removed is closed all the same, and the system's error comes",
  () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("f"), "x");
    mkdirSync(folder.join("in-the-way"));
    expect(() => discardFile(openSync(folder.join("f"), "r+"), folder.join("in-the-way"))).toThrow();
    expect(openBelow(folder.path)).toBe(0);
  },
);
