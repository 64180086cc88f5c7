import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { type AclEntry, aclOf, aclTest, encodeAcl, noAcls, setAcl } from "../../support/acl.ts";
import { python } from "../../support/python.ts";
import { type StoreOptions, store } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";
import { noPermissionTests, permissionTest, unprivileged } from "../../support/unprivileged.ts";

const EITHER = [
  ["a small file", noise(1_000)],
  ["a large file", noise(BLOCK_BYTES + 7, 2)],
] as const;
/** Users and groups that need not be there. */
const [ALICE, DEVELOPERS] = [4_001, 4_002];
const isRoot = process.getuid?.() === 0;
const ownerTest = (name: string) => (isRoot ? name : `${name} (skipped: only root may give files to others)`);

/** Bob may read, and nobody else but the owner may do anything: as mode 0640 shows it, and more than the group has. */
const BOB_READS: readonly AclEntry[] = [
  ["owner", 6],
  ["user", 4, 4_003],
  ["group", 0],
  ["mask", 4],
  ["others", 0],
];

interface Rights {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly acl?: readonly AclEntry[];
}

function writeWith(path: string, { mode, uid, gid, acl }: Rights): void {
  writeFileSync(path, "old");
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  chmodSync(path, mode);
  if (acl !== undefined) setAcl(path, acl);
}

function rightsOf(path: string): { mode: string; uid: number; gid: number } {
  const { mode, uid, gid } = statSync(path);
  return { mode: (mode & 0o7777).toString(8), uid, gid };
}

/** Replace `name` by content of a source that everybody may read, run and write. */
async function replace(
  folder: TempFolder,
  content: Uint8Array,
  options: StoreOptions = { mode: 0o777 },
): Promise<void> {
  const storage = await LocalStorage.ofUser(folder.path);
  await store(storage, "a", content, { executable: true, exists: "overwrite", ...options });
  expect(readFileSync(folder.join("a")).equals(content)).toBe(true);
}

describe.if(process.platform !== "win32").each(EITHER)("%s that replaces another", (_, content) => {
  test.each(["600", "640", "444", "400", "604", "755", "666", "777"])("leaves its mode: %s", async (mode) => {
    using folder = new TempFolder();
    for (const source of [0o777, 0o600, undefined]) {
      writeWith(folder.join("a"), { mode: Number.parseInt(mode, 8) });
      await replace(folder, content, { mode: source });
      expect(rightsOf(folder.join("a")).mode).toBe(mode);
    }
  });

  test("runs as nobody else: what let it is gone", async () => {
    using folder = new TempFolder();
    writeWith(folder.join("a"), { mode: 0o7755 });
    await replace(folder, content);
    expect(rightsOf(folder.join("a")).mode).toBe("755");
  });

  test.skipIf(!isRoot)(ownerTest("leaves its owner and group"), async () => {
    using folder = new TempFolder();
    writeWith(folder.join("a"), { mode: 0o640, uid: ALICE, gid: DEVELOPERS });
    await replace(folder, content);
    expect(rightsOf(folder.join("a"))).toEqual({ mode: "640", uid: ALICE, gid: DEVELOPERS });
  });

  test.skipIf(!isRoot)(
    ownerTest("gives another group no more than all others have, where the own can't be kept"),
    async () => {
      for (const [before, after] of [
        [0o660, "600"],
        [0o664, "644"],
        [0o604, "600"],
      ] as const) {
        using folder = new TempFolder();
        writeWith(folder.join("a"), { mode: before, uid: ALICE, gid: DEVELOPERS });
        await unprivileged(folder.path, () => replace(folder, content));
        expect(rightsOf(folder.join("a"))).toEqual({ mode: after, uid: 65_534, gid: 0 });
      }
    },
  );

  test.skipIf(!isRoot)(ownerTest("leaves its group where only the owner can't be kept"), async () => {
    using folder = new TempFolder();
    writeWith(folder.join("a"), { mode: 0o660, uid: ALICE, gid: 0 });
    await unprivileged(folder.path, () => replace(folder, content));
    expect(rightsOf(folder.join("a"))).toEqual({ mode: "660", uid: 65_534, gid: 0 });
  });

  test.skipIf(noAcls !== undefined)(aclTest("leaves its access control list"), async () => {
    using folder = new TempFolder();
    writeWith(folder.join("a"), { mode: 0o600, acl: BOB_READS });
    const before = aclOf(folder.join("a"));
    await replace(folder, content);
    expect(aclOf(folder.join("a"))).toBe(before);
    expect(before).toBe(Buffer.from(encodeAcl(BOB_READS)).toString("hex"));
    expect(rightsOf(folder.join("a")).mode).toBe("640");
  });

  test.skipIf(noAcls !== undefined)(
    aclTest("has none where that had none, whatever its folder gives to new files"),
    async () => {
      using folder = new TempFolder();
      mkdirSync(folder.join("docs"));
      writeWith(folder.join("docs/a"), { mode: 0o640 });
      setDefaultAcl(folder.join("docs"));
      const storage = await LocalStorage.ofUser(folder.path);
      await store(storage, "docs/a", content, { mode: 0o777, exists: "overwrite" });
      expect(aclOf(folder.join("docs/a"))).toBe("");
      expect(rightsOf(folder.join("docs/a")).mode).toBe("640");
    },
  );

  test.skipIf(noAcls !== undefined || !isRoot)(
    aclTest(ownerTest("is for its owner alone where a list goes with a group that can't be kept")),
    async () => {
      using folder = new TempFolder();
      writeWith(folder.join("a"), { mode: 0o600, uid: ALICE, gid: DEVELOPERS, acl: BOB_READS });
      await unprivileged(folder.path, () => replace(folder, content));
      expect(rightsOf(folder.join("a"))).toEqual({ mode: "600", uid: 65_534, gid: 0 });
      expect(aclOf(folder.join("a"))).toBe("");
    },
  );

  test("leaves other names of the old one to it", async () => {
    using folder = new TempFolder();
    writeWith(folder.join("other"), { mode: 0o640 });
    linkSync(folder.join("other"), folder.join("a"));
    await replace(folder, content);
    expect(rightsOf(folder.join("a")).mode).toBe("640");
    expect(readFileSync(folder.join("other"), "utf8")).toBe("old");
  });

  test.each([
    ["600", 0o644, "600"],
    ["640", 0o644, "600"],
    ["644", 0o755, "644"],
    ["644", 0o600, "600"],
  ])(
    "in the place of a link to one of mode %s is not readable for more than that was",
    async (target, mode, expected) => {
      using folder = new TempFolder();
      writeWith(folder.join("target"), { mode: Number.parseInt(target, 8) });
      symlinkSync("target", folder.join("a"));
      await replace(folder, content, { mode });
      expect(rightsOf(folder.join("a")).mode).toBe(expected);
      expect(readFileSync(folder.join("target"), "utf8")).toBe("old");
    },
  );

  test("in the place of a link that leads nowhere has the rights of its source", async () => {
    using folder = new TempFolder();
    for (const target of ["nowhere", "a", "."]) {
      symlinkSync(target, folder.join("a"));
      await replace(folder, content, { mode: 0o640 });
      expect(rightsOf(folder.join("a")).mode).toBe("640");
      await Bun.file(folder.join("a")).delete();
    }
  });

  test("has the rights of its source where nothing was", async () => {
    using folder = new TempFolder();
    await replace(folder, content, { mode: 0o640 });
    expect(rightsOf(folder.join("a")).mode).toBe("640");
  });

  test('under another name, by "rename", has the rights of its source', async () => {
    using folder = new TempFolder();
    writeWith(folder.join("a"), { mode: 0o600 });
    const storage = await LocalStorage.ofUser(folder.path);
    expect(await store(storage, "a", content, { mode: 0o644, exists: "rename" })).toBe("a (2)");
    expect(rightsOf(folder.join("a (2)")).mode).toBe("644");
  });

  test.skipIf(noPermissionTests !== undefined)(
    permissionTest("that its owner may not read or write is replaced all the same"),
    async () => {
      using folder = new TempFolder();
      await unprivileged(folder.path, async () => {
        writeWith(folder.join("a"), { mode: 0o200 });
        const storage = await LocalStorage.ofUser(folder.path);
        await store(storage, "a", content, { mode: 0o777, exists: "overwrite" });
      });
      expect(rightsOf(folder.join("a")).mode).toBe("200");
    },
  );
});

test.skipIf(noAcls !== undefined)(aclTest("without the C library the group gets no more than all others do"), () => {
  using folder = new TempFolder();
  writeWith(folder.join("listed"), { mode: 0o600, acl: BOB_READS });
  writeWith(folder.join("plain"), { mode: 0o664 });
  const [local, storing] = ["lib/storage/local/local.ts", "tests/support/storing.ts"].map((module) =>
    JSON.stringify(join(import.meta.dir, "../../..", module)),
  );
  const script = `
    const { LocalStorage } = await import(${local});
    const { store } = await import(${storing});
    const storage = await LocalStorage.ofUser(${JSON.stringify(folder.path)});
    for (const size of [10, ${BLOCK_BYTES + 1}])
      for (const name of ["listed", "plain"]) {
        await store(storage, name, new Uint8Array(size), { exists: "overwrite", mode: 0o777 });
        console.log(name, ((await storage.stat(name)).mode).toString(8));
      }`;
  // bun:ffi makes code at run time, which this forbids.
  const env = { ...process.env, BUN_JSC_useJIT: "0" };
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script], { env });
  const lines = ["listed 600", "plain 644"];
  expect({ stdout: String(stdout).split("\n"), stderr: String(stderr) }).toEqual({
    stdout: [...lines, ...lines, ""],
    stderr: "",
  });
});

/** What new files in the folder are given: everything to everybody, and to one more. */
function setDefaultAcl(folder: string): void {
  const entries: readonly AclEntry[] = [
    ["owner", 7],
    ["user", 7, 4_003],
    ["group", 7],
    ["mask", 7],
    ["others", 7],
  ];
  const script = `import os, sys; os.setxattr(sys.argv[1], "system.posix_acl_default", bytes.fromhex(sys.argv[2]))`;
  const list = Buffer.from(encodeAcl(entries)).toString("hex");
  const { success, stderr } = Bun.spawnSync(python("-c", script, folder, list));
  if (!success) throw new Error(String(stderr));
}
