/** A disk that takes names for the same which are not, and whose numbers of files don't tell: only the names do. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { PrivatePlaces } from "../../../lib/storage/local/private/private-places.ts";
import { CaselessDisk, missingCaseless } from "../../support/caseless-disk.ts";
import { codeOf } from "../../support/fault.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { allOf, contentOf, makeState, STATE_PATH, tryAll } from "../../support/private-site.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { store } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const missing = missingCaseless();

describe.skipIf(isSkipped(missing))(namedWhy("on a disk without cases of letters", missing), () => {
  let disk: CaselessDisk;
  let storage: LocalStorage;
  const state = () => disk.join(STATE_PATH);

  beforeEach(async () => {
    disk = await CaselessDisk.make();
    writeTree(disk.path, { "tls/key.pem": "KEY", "docs/a.txt": "public" });
    const places = new PrivatePlaces(() => ({ folders: [state()], files: [disk.join("tls/key.pem")] }));
    storage = await LocalStorage.at(disk.path, { places });
  });

  afterEach(() => disk[Symbol.asyncDispose]());

  test("the numbers of files tell nothing", () => {
    expect(statSync(disk.join("docs/A.TXT")).ino).not.toBe(statSync(disk.join("docs/a.txt")).ino);
  });

  test("the case of a name can be changed, and no other name is taken for another spelling", async () => {
    writeFileSync(disk.join("docs/b.txt"), "other");
    await storage.rename("docs/a.txt", "docs/A.txt", { overwrite: false });
    expect(readdirSync(disk.join("docs")).sort()).toEqual(["A.txt", "b.txt"]);
    expect(await codeOf(() => storage.rename("docs/A.txt", "docs/B.txt", { overwrite: false }))).toBe("EXISTS");
    await storage.rename("docs", "Docs", { overwrite: false });
    expect(readdirSync(disk.path)).toContain("Docs");
    expect(readFileSync(disk.join("Docs/A.txt"), "utf8")).toBe("public");
  });

  test("a state folder that is not there yet can't be made, in no way of writing it", async () => {
    for (const path of [STATE_PATH, ".LOCAL/State/COMMSERVER", ".local/STATE/commserver"]) {
      expect(await codeOf(() => store(storage, `${path}/tokens.json`, noise(3)))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.makeFolder(path))).toBe("NOT_ALLOWED");
    }
    expect(readdirSync(disk.path).filter((name) => /local/i.test(name))).toEqual([]);
  });

  test("a state folder that is there, and a key, are refused in every way of writing them", async () => {
    makeState(state());
    const before = contentOf(state());
    for (const path of [
      ".LOCAL/State/CommServer",
      ".local/state/COMMSERVER/Tokens.JSON",
      "TLS/Key.pem",
      "tls/KEY.PEM",
    ]) {
      const told = await tryAll(storage, path);
      expect({ path, told }).toEqual({ path, told: allOf("NOT_ALLOWED", told) });
    }
    for (const path of [".LOCAL", ".Local/STATE", "TLS", "Tls"]) {
      expect(await codeOf(() => storage.remove(path, { recursive: true }))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.rename(path, "moved", { overwrite: false }))).toBe("NOT_ALLOWED");
    }
    expect((await walk(storage)).paths).toEqual([".local", ".local/state", "docs", "docs/a.txt", "tls"]);
    expect(contentOf(state())).toEqual(before);
  });

  test("a key that is renewed is refused at every moment", async () => {
    for (let turn = 0; turn < 20; turn++) {
      writeFileSync(disk.join("tls/new"), `KEY ${turn}`);
      rmSync(disk.join("tls/key.pem"));
      renameSync(disk.join("tls/new"), disk.join("tls/key.pem"));
      for (const path of ["TLS/KEY.pem", "tls/key.pem"])
        expect(await codeOf(() => storage.open(path))).toBe("NOT_ALLOWED");
    }
  });
});
