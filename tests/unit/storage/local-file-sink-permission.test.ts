import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { LocalFileSink } from "../../../lib/storage/local-file-sink.ts";
import { faultOf } from "../../support/fault.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const check = test.skipIf(noPermissionTests !== undefined);
const NEW = { overwrite: false };

describe("LocalFileSink: permissions", () => {
  check(permissionTest("a folder that may not be written is DISK_DENIED"), async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("read-only"), { mode: 0o555 });
    await unprivileged(folder.path, async () => {
      const fault = await faultOf(() => LocalFileSink.create(folder.join("read-only/a"), NEW));
      expect(fault.code).toBe("DISK_DENIED");
      expect(fault.message).toContain("read-only/a");
    });
    expect(readdirSync(folder.join("read-only"))).toEqual([]);
  });

  check(permissionTest("a folder that becomes read-only meanwhile is DISK_DENIED at commit()"), async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("sub"));
    await unprivileged(folder.path, async () => {
      mkdirSync(folder.join("own"));
      const sink = await LocalFileSink.create(folder.join("own/a"), NEW);
      chmodSync(folder.join("own"), 0o555);
      expect((await faultOf(() => sink.commit(0))).code).toBe("DISK_DENIED");
      chmodSync(folder.join("own"), 0o755);
    });
    expect(existsSync(folder.join("own/a"))).toBe(false);
  });

  check(permissionTest("with `overwrite` a closed file is replaced where its folder allows it"), async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "old");
    chmodSync(folder.join("a"), 0o000);
    await unprivileged(folder.path, async () => {
      await (await LocalFileSink.create(folder.join("a"), { overwrite: true })).commit(0);
    });
    expect(statSync(folder.join("a")).size).toBe(0);
  });

  check(permissionTest("a folder that may be written and not read takes the file: commit() succeeds"), async () => {
    using folder = new TempFolder();
    await unprivileged(folder.path, async () => {
      mkdirSync(folder.join("drop-box"), { mode: 0o300 });
      await (await LocalFileSink.create(folder.join("drop-box/a"), NEW)).commit(0);
    });
    expect(readdirSync(folder.join("drop-box"))).toEqual(["a"]);
  });

  check(permissionTest("the file gets the permissions that the umask leaves, as any new file"), async () => {
    using folder = new TempFolder();
    const before = process.umask(0o027);
    try {
      await (await LocalFileSink.create(folder.join("a"), NEW)).commit(0);
    } finally {
      process.umask(before);
    }
    expect(statSync(folder.join("a")).mode & 0o777).toBe(0o640);
  });
});
