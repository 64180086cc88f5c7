/** A file with several names (hard links): rename(2) between two of them does nothing. */
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { TempFolder } from "../../support/temp-folder.ts";

describe("a file that replaces another name of itself", () => {
  test.each(["there", "docs/there"])("is no longer under its old name: %s", async (to) => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    mkdirSync(folder.join("docs"));
    writeFileSync(folder.join("here"), "content");
    linkSync(folder.join("here"), folder.join(to));
    await storage.rename("here", to, { overwrite: true });
    expect(readFileSync(folder.join(to), "utf8")).toBe("content");
    expect(readdirSync(folder.path)).not.toContain("here");
  });

  test("leaves a third name as it is", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    writeFileSync(folder.join("here"), "content");
    linkSync(folder.join("here"), folder.join("there"));
    linkSync(folder.join("here"), folder.join("third"));
    await storage.rename("here", "there", { overwrite: true });
    expect(readdirSync(folder.path).toSorted()).toEqual(["there", "third"]);
  });

  test("is not removed where both paths lead to one name", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    mkdirSync(folder.join("docs"));
    symlinkSync("docs", folder.join("same"));
    writeFileSync(folder.join("docs", "here"), "content");
    linkSync(folder.join("docs", "here"), folder.join("third"));
    await storage.rename("docs/here", "same/here", { overwrite: true });
    expect(readFileSync(folder.join("docs", "here"), "utf8")).toBe("content");
  });
});
