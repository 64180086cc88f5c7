import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { pathFault } from "../../../lib/path.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf } from "../../support/fault.ts";
import { walk, writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const posix = process.platform !== "win32";

async function expectRefused(storage: LocalStorage, path: string): Promise<void> {
  expect(await storage.stat(path)).toMatchObject({ path, kind: "other", size: 0 });
  expect(await codeOf(() => storage.open(path))).toBe("NOT_A_FILE");
  expect((await walk(storage)).entries).toMatchObject([{ path, kind: "other", size: 0 }]);
}

describe.if(posix)("what is neither file nor folder", () => {
  test("a FIFO is reported, never opened, and holds nothing up", async () => {
    using folder = new TempFolder();
    expect(Bun.spawnSync(["mkfifo", folder.join("fifo")]).exitCode).toBe(0);
    await expectRefused(await LocalStorage.at(folder.path), "fifo");
  });

  test("a socket is reported and never opened", async () => {
    using folder = new TempFolder();
    let connections = 0;
    const socket = { open: () => void connections++, data: () => {} };
    const listener = Bun.listen({ unix: folder.join("socket"), socket });
    await expectRefused(await LocalStorage.at(folder.path), "socket");
    listener.stop(true);
    expect(connections).toBe(0);
  });

  const cannotMakeDevices = process.getuid?.() === 0 ? "" : " (skipped: only root makes devices)";
  test.skipIf(cannotMakeDevices !== "")(`a device is told and never opened${cannotMakeDevices}`, async () => {
    using folder = new TempFolder();
    // The numbers of /dev/zero: whoever read it would read for ever.
    expect(Bun.spawnSync(["mknod", folder.join("zero"), "c", "1", "5"]).exitCode).toBe(0);
    await expectRefused(await LocalStorage.at(folder.path), "zero");
  });
});

describe.if(posix)("names that are no repository paths", () => {
  const NAMES = ["line\nfeed", "tab\t", "escape\u001b[2J", "delete\u007f", "c1\u0085"];

  test.each(NAMES)("%j is left out and counted", async (name) => {
    using folder = new TempFolder();
    writeTree(folder.path, { [name]: "x", good: "y" });
    expect(await walk(await LocalStorage.at(folder.path))).toMatchObject({ paths: ["good"], skipped: 1 });
  });

  test("bytes that are not UTF-8 are left out and counted, as file and as folder", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "sub/good": "y" });
    const nameOf = (...bytes: number[]) => Buffer.concat([Buffer.from(folder.join("sub/")), Buffer.from(bytes)]);
    writeFileSync(nameOf(0xff, 0xfe), "x");
    writeFileSync(nameOf(0x61, 0xc3), "x");
    mkdirSync(nameOf(0xed, 0xa0, 0x80));
    writeFileSync(nameOf(0xed, 0xa0, 0x80, 0x2f, 0x61), "x");
    expect(await walk(await LocalStorage.at(folder.path))).toMatchObject({ paths: ["sub", "sub/good"], skipped: 3 });
  });

  test("a folder with such a name is left out with all that is in it, counted as one", async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "bad\nfolder/a": "x", "bad\nfolder/b": "x" });
    expect(await walk(await LocalStorage.at(folder.path))).toMatchObject({ paths: [], skipped: 1 });
  });

  test("only those are left out: what stat() serves is listed", async () => {
    using folder = new TempFolder();
    const names = ["..\\up", "C:drive", "back\\slash", "sub", "sub/a:b"];
    for (const name of names) if (name !== "sub") writeTree(folder.path, { [name]: "x" });
    const storage = await LocalStorage.at(folder.path);
    for (const name of names) expect(pathFault(name)).toBeUndefined();
    for (const name of names) expect(await storage.stat(name)).toMatchObject({ path: name });
    expect((await walk(storage)).paths).toEqual(names);
  });
});

describe("without permission", () => {
  const check = test.skipIf(noPermissionTests !== undefined);

  check(permissionTest("a closed folder is told and counted, its neighbours are listed"), async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "a/1": "x", "closed/2": "x", "z/3": "x" });
    chmodSync(folder.join("closed"), 0o000);
    await unprivileged(folder.path, async () => {
      const storage = await LocalStorage.at(folder.path);
      expect(await walk(storage)).toMatchObject({ paths: ["a", "a/1", "closed", "z", "z/3"], skipped: 1 });
      expect(await walk(storage, "closed")).toMatchObject({ paths: [], skipped: 1 });
      expect(await storage.stat("closed")).toMatchObject({ kind: "folder" });
      expect(await codeOf(() => storage.stat("closed/2"))).toBe("UNREADABLE");
      expect(await codeOf(() => storage.open("closed/2"))).toBe("UNREADABLE");
    });
    chmodSync(folder.join("closed"), 0o700);
  });

  check(permissionTest("a folder whose names can be read and not used: each is counted"), async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "names-only/1": "x", "names-only/2": "x" });
    chmodSync(folder.join("names-only"), 0o444);
    await unprivileged(folder.path, async () => {
      const storage = await LocalStorage.at(folder.path);
      expect(await walk(storage)).toMatchObject({ paths: ["names-only"], skipped: 2 });
    });
    chmodSync(folder.join("names-only"), 0o700);
  });

  check(permissionTest("a closed file is listed and told, and UNREADABLE to open()"), async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { closed: "x" });
    chmodSync(folder.join("closed"), 0o000);
    await unprivileged(folder.path, async () => {
      const storage = await LocalStorage.at(folder.path);
      expect((await walk(storage)).paths).toEqual(["closed"]);
      expect(await codeOf(() => storage.open("closed"))).toBe("UNREADABLE");
    });
  });

  check(permissionTest("a repository that may not be read is REPOSITORY_DENIED"), async () => {
    using folder = new TempFolder();
    for (const [name, mode] of [
      ["closed", 0o000],
      ["no-names", 0o311],
      ["no-entry", 0o644],
    ] as const) {
      mkdirSync(folder.join(name));
      chmodSync(folder.join(name), mode);
      await unprivileged(folder.path, async () => {
        expect(await codeOf(() => LocalStorage.at(folder.join(name)))).toBe("REPOSITORY_DENIED");
      });
    }
  });

  check(permissionTest("a file instead of a repository is still NO_REPOSITORY"), async () => {
    using folder = new TempFolder();
    writeTree(folder.path, { file: "x" });
    await unprivileged(folder.path, async () => {
      expect(await codeOf(() => LocalStorage.at(folder.join("file")))).toBe("NO_REPOSITORY");
    });
  });
});
