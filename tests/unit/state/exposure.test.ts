import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { exposureOf } from "../../../lib/state/exposure.ts";
import { appendPrivate, closeToOthers, writePrivate } from "../../../lib/state/private-file.ts";
import { isSkipped, namedWhy } from "../../support/launched.ts";
import { ModelessDisk, missingModeless } from "../../support/modeless-disk.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const isRoot = process.getuid?.() === 0;
const ownerTest = (name: string) => (isRoot ? name : `${name} (skipped: only root may give files to others)`);
const denied = expect.objectContaining({ code: "DISK_DENIED" });

/** A file that others reach, with this mode. */
function open(folder: TempFolder, mode: number): string {
  chmodSync(folder.path, 0o755);
  const file = folder.join("file");
  writeFileSync(file, "x");
  chmodSync(file, mode);
  return file;
}

describe.if(process.platform !== "win32")("what others can do", () => {
  test.each([
    [0o600, false, false],
    [0o700, false, false],
    [0o640, true, false],
    [0o604, true, false],
    [0o620, false, true],
    [0o602, false, true],
    [0o666, true, true],
  ])("with a file is what its mode says: %i", (mode, canRead, canWrite) => {
    using folder = new TempFolder();
    expect(exposureOf(open(folder, mode))).toMatchObject({ canRead, canWrite, isAnothers: false });
  });

  test("with a file is nothing where they can't come to it", () => {
    using folder = new TempFolder();
    const file = open(folder, 0o666);
    chmodSync(folder.path, 0o700);
    expect(exposureOf(file)).toMatchObject({ canRead: false, canWrite: false, isAnothers: false });
    // Of somebody else, who is in there with it.
    mkdirSync(folder.join("in"), { mode: 0o700 });
    using elsewhere = new TempFolder();
    chmodSync(elsewhere.path, 0o755);
    symlinkSync(file, elsewhere.join("link"));
    expect(exposureOf(elsewhere.join("link")).canRead).toBe(false);
    chmodSync(folder.path, 0o755);
    expect(exposureOf(elsewhere.join("link"))).toMatchObject({ canRead: true, mode: "0666" });
  });

  test("with a file is nothing where a folder far above it is closed", () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("closed/open/in"), { recursive: true, mode: 0o755 });
    const file = folder.join("closed/open/in/file");
    writeFileSync(file, "x");
    chmodSync(folder.path, 0o755);
    expect(exposureOf(file).canRead).toBe(true);
    chmodSync(folder.join("closed"), 0o700);
    expect(exposureOf(file).canRead).toBe(false);
  });

  test.each([0o710, 0o701])("with a file is what its mode says where its folder may only be entered: %i", (mode) => {
    using folder = new TempFolder();
    const file = open(folder, 0o644);
    chmodSync(folder.path, mode);
    expect(exposureOf(file).canRead).toBe(true);
  });

  test.skipIf(noPermissionTests !== undefined || !isRoot)(
    permissionTest("with root's is no more than its mode says: root can do everything anyway"),
    async () => {
      using folder = new TempFolder();
      const file = open(folder, 0o644);
      await unprivileged(folder.path, () => {
        expect(exposureOf(file)).toMatchObject({ canRead: true, canWrite: false, isAnothers: false });
      });
    },
  );

  test("with what is not there is nothing", () => {
    using folder = new TempFolder();
    expect(exposureOf(folder.join("none"))).toMatchObject({ canRead: false, canWrite: false, isAnothers: false });
  });

  test.skipIf(!isRoot)(ownerTest("with another user's is all, wherever that user can reach it"), () => {
    using folder = new TempFolder();
    const file = open(folder, 0o600);
    chownSync(file, 4_001, 4_001);
    expect(exposureOf(file)).toMatchObject({ canRead: false, isAnothers: true });
    mkdirSync(folder.join("theirs"), { mode: 0o700 });
    writeFileSync(folder.join("theirs/file"), "x");
    chownSync(folder.join("theirs/file"), 4_001, 4_001);
    expect(exposureOf(folder.join("theirs/file")).isAnothers).toBe(false);
    chownSync(folder.join("theirs"), 4_001, 4_001);
    expect(exposureOf(folder.join("theirs/file")).isAnothers).toBe(true);
  });
});

describe.if(process.platform !== "win32")("a private file that is added to", () => {
  test("is for its owner alone, also when it was not", () => {
    using folder = new TempFolder();
    const file = open(folder, 0o644);
    appendPrivate(file, "y");
    appendPrivate(folder.join("new"), "z");
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["xy", 0o600]);
    expect([readFileSync(folder.join("new"), "utf8"), statSync(folder.join("new")).mode & 0o777]).toEqual(["z", 0o600]);
  });

  test.skipIf(!isRoot)(ownerTest("gets nothing when it is another user's, who can read it whatever its mode"), () => {
    using folder = new TempFolder();
    const file = open(folder, 0o600);
    chownSync(file, 4_001, 4_001);
    expect(() => appendPrivate(file, "y")).toThrow(denied);
    expect(readFileSync(file, "utf8")).toBe("x");
  });

  test("is made, or closed, for a library that does not do it", () => {
    using folder = new TempFolder();
    const file = open(folder, 0o644);
    for (const each of [file, folder.join("new")]) {
      closeToOthers(each);
      expect(statSync(each).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(file, "utf8")).toBe("x");
    closeToOthers(folder.join("none/new"));
  });
});

describe.skipIf(isSkipped(missingModeless))(namedWhy("a disk that keeps no rights", missingModeless), () => {
  test("gives everything to everybody, which is seen", () => {
    using disk = new ModelessDisk();
    writePrivate(disk.join("secret"), "x");
    expect(exposureOf(disk.join("secret"))).toEqual({ canRead: true, canWrite: true, isAnothers: false, mode: "0777" });
  });

  test("gets nothing that must be its user's own, not for a moment", () => {
    using disk = new ModelessDisk();
    writePrivate(disk.join("secret"), "old");
    expect(() => writePrivate(disk.join("secret"), "new", { mustBeOwn: true })).toThrow(denied);
    expect(() => appendPrivate(disk.join("secret"), "new")).toThrow(denied);
    expect(readFileSync(disk.join("secret"), "utf8")).toBe("old");
    expect(existsSync(disk.join("secret.new"))).toBe(false);
    expect(readdirSync(disk.path)).toEqual(["secret"]);
  });
});
