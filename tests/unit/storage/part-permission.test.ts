import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { openBelow } from "../../support/open-files.ts";
import { writeTree } from "../../support/repository.ts";
import { factsOf, store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";
import { until } from "../../support/until.ts";

const check = test.skipIf(noPermissionTests !== undefined);
const EITHER = [
  ["small", noise(10)],
  ["large", noise(BLOCK_BYTES + 1)],
] as const;

describe.each(EITHER)("permissions and a %s file", (_, content) => {
  check(permissionTest("a folder that may not be written is DISK_DENIED"), async () => {
    using folder = new TempFolder();
    mkdirSync(folder.join("read-only"), { mode: 0o555 });
    await unprivileged(folder.path, async () => {
      const storage = await LocalStorage.at(folder.path);
      const fault = await faultOf(() => store(storage, "read-only/a", content));
      expect(fault.code).toBe("DISK_DENIED");
      expect(fault.message).toContain("read-only/a");
      expect(await codeOf(() => storage.makeFolder("read-only/sub"))).toBe("DISK_DENIED");
    });
    expect(readdirSync(folder.join("read-only"))).toEqual([]);
  });

  check(permissionTest("a closed file is replaced where its folder allows it"), async () => {
    using folder = new TempFolder();
    writeFileSync(folder.join("a"), "old");
    chmodSync(folder.join("a"), 0o000);
    await unprivileged(folder.path, async () => {
      await store(await LocalStorage.at(folder.path), "a", content, { exists: "overwrite" });
    });
    expect(readFileSync(folder.join("a")).equals(content)).toBe(true);
  });

  check(permissionTest("a folder that may be written and not read takes the file"), async () => {
    using folder = new TempFolder();
    await unprivileged(folder.path, async () => {
      mkdirSync(folder.join("drop-box"), { mode: 0o300 });
      await store(await LocalStorage.at(folder.path), "drop-box/a", content);
    });
    expect(readdirSync(folder.join("drop-box"))).toEqual(["a"]);
  });

  check(permissionTest("the file has what the umask leaves, and runs for those who may read it"), async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const before = process.umask(0o027);
    try {
      await store(storage, "plain", content);
      await store(storage, "program", content, { executable: true });
    } finally {
      process.umask(before);
    }
    expect(statSync(folder.join("plain")).mode & 0o777).toBe(0o640);
    expect(statSync(folder.join("program")).mode & 0o777).toBe(0o750);
  });
});

describe.if(process.platform === "linux")("open folders", () => {
  const REFUSED: [what: string, work: (storage: LocalStorage) => Promise<unknown>][] = [
    ["rename onto what is there", (storage) => storage.rename("a", "b", { overwrite: false })],
    ["rename to below a file", (storage) => storage.rename("sub/a", "b/below/c", { overwrite: false })],
    ["removal of a full folder", (storage) => storage.remove("sub", { recursive: false })],
    ["file below a file", (storage) => store(storage, "b/below", noise(3))],
    ["small file under a taken name", (storage) => store(storage, "sub/a", noise(3))],
    ["large file under the name of a folder", (storage) => store(storage, "sub", noise(BLOCK_BYTES + 1))],
    [
      "large file of an impossible size",
      (storage) => storage.receive("c", factsOf(noise(1), { size: 2 ** 53 - 1 }), "fail"),
    ],
  ];

  test.each(REFUSED)("are closed again after a refused %s", async (_, work) => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "x", b: "y", "sub/a": "z" });
    for (let turn = 0; turn < 40; turn++) {
      // A storage of its own each time: none that shares the folders which another has open.
      const storage = await LocalStorage.at(folder.path);
      await faultOf(() => work(storage));
    }
    // A moment later: a folder may stay open for as long as it is likely to be used again.
    const last = await LocalStorage.at(folder.path);
    await store(last, "last", noise(1));
    await until(() => openBelow(folder.path) === 0);
  });

  test("are closed when nothing has happened for a moment", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    for (let at = 0; at < 40; at++) await store(storage, `folder-${at}/a`, noise(3));
    await until(() => openBelow(folder.path) === 0);
  });
});
