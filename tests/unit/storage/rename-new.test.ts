import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renameNew } from "../../../lib/storage/local/rename-new.ts";
import { isSkipped, launched, missingLauncher, namedWhy, type Refused } from "../../support/launched.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const MODULE = join(import.meta.dir, "../../../lib/storage/local/rename-new.ts");
/** As on FAT, where the system has neither hard links nor a rename that replaces nothing. */
const FAT: readonly Refused[] = ["link=EPERM", "linkat=EPERM", "renameat2=EINVAL"];
const missing = missingLauncher(FAT);
const FILES = 100;

describe("a rename to where nothing may be", () => {
  test("gives a file or a folder its name, and replaces nothing", () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "a");
    mkdirSync(folder.join("f"));
    expect(renameNew(folder.join("a"), folder.join("b"))).toBe(true);
    expect(renameNew(folder.join("f"), folder.join("g"))).toBe(true);
    writeFileSync(folder.join("a"), "new");
    expect(renameNew(folder.join("a"), folder.join("b"))).toBe(false);
    expect(renameNew(folder.join("a"), folder.join("g"))).toBe(false);
    expect(readFileSync(folder.join("b"), "utf8")).toBe("a");
    expect(readdirSync(folder.path).sort()).toEqual(["a", "b", "g"]);
  });

  test.skipIf(isSkipped(missing))(
    namedWhy("has one winner for each name also on a disk without hard links, of two processes", missing),
    async () => {
      using folder = new TempFolder();
      const script = `
        import fs, { writeFileSync } from "node:fs";
        import { renameNew } from ${JSON.stringify(MODULE)};
        const rename = fs.renameSync;
        // Time for the other between the look and the rename.
        fs.renameSync = (from, to) => {
          if (/to\\d+$/.test(to)) Bun.sleepSync(2);
          rename(from, to);
        };
        const [folder, who] = process.argv.slice(1);
        const won = [];
        for (let at = 0; at < ${FILES}; at++) {
          writeFileSync(folder + "/" + who, who);
          if (renameNew(folder + "/" + who, folder + "/to" + at)) won.push(at);
        }
        console.log(JSON.stringify(won));`;
      const rivals = ["one", "two"].map((who) =>
        Bun.spawn(launched(FAT, [process.execPath, "-e", script, folder.path, who]), { stdout: "pipe" }),
      );
      const won = await Promise.all(rivals.map((rival) => new Response(rival.stdout).json() as Promise<number[]>));
      expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: FILES }, (_, at) => at));
      for (const [index, who] of ["one", "two"].entries()) {
        for (const at of won[index] ?? []) expect(readFileSync(folder.join(`to${at}`), "utf8")).toBe(who);
      }
      expect(existsSync(folder.join("one")) || existsSync(folder.join("two"))).toBe(true);
      expect(readdirSync(folder.path).filter((name) => name.includes("commserver"))).toEqual([]);
    },
  );
});
