import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { LEASE_MS } from "../../../lib/storage/local/locks/lock-owner.ts";
import { codeOf } from "../../support/fault.ts";
import { isSkipped, launched, missingLauncher, namedWhy, type Refused } from "../../support/launched.ts";
import { begunElsewhere } from "../../support/lock-script.ts";
import { noSmallDisk, SmallDisk, smallDiskTest } from "../../support/small-disk.ts";
import { factsOf, writeBlock, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";

const CONTENT = noise(2 * BLOCK_BYTES + 1);
const children: { kill(signal: NodeJS.Signals): void; exited: Promise<number> }[] = [];

afterEach(async () => {
  setSystemTime();
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.splice(0).map((child) => child.exited));
});

async function begin(folder: string, path: string, refused: readonly Refused[] = []) {
  const begun = await begunElsewhere(folder, path, (command) =>
    refused.length === 0 ? command : launched(refused, command),
  );
  children.push(begun.child);
  return begun;
}

function writeFails(file: string): boolean {
  try {
    writeFileSync(file, "x");
    return false;
  } catch {
    return true;
  }
}

async function kill({ child }: Awaited<ReturnType<typeof begin>>): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

/** What keeps a process from file locks, and how it is called. */
const LOCKLESS: Record<string, readonly Refused[]> = {
  "no code may be made at run time": ["mdwe"],
  "flock is ENOSYS": ["flock=ENOSYS"],
  "flock is EPERM": ["flock=EPERM"],
  "flock is ENOLCK": ["flock=ENOLCK"],
};

describe("an unfinished file", () => {
  test("is one storage's at a time, of all in a process", async () => {
    using folder = new TempFolder();
    const [one, other] = [await LocalStorage.at(folder.path), await LocalStorage.ofUser(folder.path)];
    const part = await one.receive("a", factsOf(CONTENT), "fail");
    expect(await codeOf(() => other.receive("a", factsOf(CONTENT), "fail"))).toBe("BUSY");
    await part.keep();
    await (await other.receive("a", factsOf(CONTENT), "fail")).discard();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("is nobody else's while it is removed, and not removed while it is somebody's", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const part = await storage.receive("a", factsOf(CONTENT), "fail");
    expect(await storage.removeUnfinished("a.commserver-part")).toBe(false);
    expect(await storage.removeUnfinished("a.commserver-journal")).toBe(false);
    await part.keep();
    expect(await storage.removeUnfinished("a.commserver-part")).toBe(true);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  const mount = process.getuid?.() === 0 && Bun.which("mount") !== null;
  test.skipIf(!mount && process.env["CI"] === undefined)(
    "is one process's at a time also through another mount of its folder",
    async () => {
      using folder = new TempFolder();
      for (const name of ["real", "again"]) mkdirSync(folder.join(name));
      expect(Bun.spawnSync(["mount", "--bind", folder.join("real"), folder.join("again")]).success).toBe(true);
      try {
        const here = await (await LocalStorage.at(folder.join("real"))).receive("a", factsOf(CONTENT), "fail");
        const there = await LocalStorage.at(folder.join("again"));
        expect(await codeOf(() => there.receive("a", factsOf(CONTENT), "fail"))).toBe("BUSY");
        expect((await begin(folder.join("again"), "a")).said).toBe("BUSY");
        await here.discard();
      } finally {
        Bun.spawnSync(["umount", "-l", folder.join("again")]);
      }
    },
  );

  test("ends with BUSY, before its next block, for who stood still so long that another may have taken it", async () => {
    for (const step of ["write", "commit"] as const) {
      using folder = new TempFolder();
      const storage = await LocalStorage.at(folder.path);
      const part = await storage.receive("a", factsOf(CONTENT), "fail");
      await (step === "write" ? writeBlock(part, CONTENT, 0) : writeMissing(part, CONTENT));
      rmSync(folder.join("a.commserver-lock"), { recursive: true });
      setSystemTime(new Date(Date.now() + LEASE_MS));
      const work = () => (step === "write" ? writeBlock(part, CONTENT, BLOCK_BYTES) : part.commit());
      expect(await codeOf(work)).toBe("BUSY");
      setSystemTime();
      await part.keep();
      expect(existsSync(folder.join("a"))).toBe(false);
      await (await storage.receive("a", factsOf(CONTENT), "fail")).discard();
    }
  });

  test("leaves no lock when it is kept, discarded or finished", async () => {
    using folder = new TempFolder();
    const storage = await LocalStorage.at(folder.path);
    const begin = () => storage.receive("a", factsOf(CONTENT), "fail");
    const names = ["a.commserver-journal", "a.commserver-lock", "a.commserver-part"];
    const part = await begin();
    expect(readdirSync(folder.path).sort()).toEqual(names);
    await part.keep();
    expect(readdirSync(folder.path).sort()).toEqual(names.filter((name) => !name.endsWith("lock")));
    await (await begin()).discard();
    expect(readdirSync(folder.path)).toEqual([]);
    const whole = await begin();
    await writeMissing(whole, CONTENT);
    await whole.commit();
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test.skipIf(noSmallDisk !== undefined)(smallDiskTest("can be removed when its disk is full"), async () => {
    using disk = new SmallDisk(4 * 1024 * 1024);
    const storage = await LocalStorage.at(disk.path);
    await (await storage.receive("a", factsOf(CONTENT), "fail")).keep();
    expect(() => writeFileSync(disk.join("rest"), new Uint8Array(8 * 1024 * 1024))).toThrow();
    for (let file = 0; writeFails(disk.join(`rest${file}`)) === false; file++);
    expect(await storage.removeUnfinished("a.commserver-part")).toBe(true);
    expect(readdirSync(disk.path).filter((name) => name.includes("commserver"))).toEqual([]);
  });
});

const cases = Object.entries(LOCKLESS).map(([why, refused]) => [why, refused, missingLauncher(refused)] as const);

for (const [why, refused, missing] of cases) {
  describe.skipIf(isSkipped(missing))(namedWhy(`where ${why}, an unfinished file`, missing), () => {
    test("is one process's at a time, and the next one's when that is killed", async () => {
      using folder = new TempFolder();
      const first = await begin(folder.path, "a", refused);
      expect(first.said).toBe("begun");
      expect(readdirSync(folder.path)).toContain("a.commserver-lock");
      expect((await begin(folder.path, "a", refused)).said).toBe("BUSY");
      await kill(first);
      const second = await begin(folder.path, "a", refused);
      expect(second.said).toBe("begun");
      expect(readdirSync(folder.path).sort()).toEqual([
        "a.commserver-journal",
        "a.commserver-lock",
        "a.commserver-part",
      ]);
    });

    test("is kept from a process with flock, and the other way round", async () => {
      using folder = new TempFolder();
      const storage = await LocalStorage.at(folder.path);
      const poor = await begin(folder.path, "a", refused);
      expect(await codeOf(() => storage.receive("a", factsOf(CONTENT), "fail"))).toBe("BUSY");
      expect(await storage.removeUnfinished("a.commserver-part")).toBe(false);
      await kill(poor);
      const part = await storage.receive("a", factsOf(CONTENT), "fail");
      expect((await begin(folder.path, "a", refused)).said).toBe("BUSY");
      await writeMissing(part, CONTENT);
      await part.commit();
      expect(readdirSync(folder.path)).toEqual(["a"]);

      const rich = await storage.receive("b", factsOf(CONTENT), "fail");
      expect((await begin(folder.path, "b", refused)).said).toBe("BUSY");
      await rich.discard();
      expect(readdirSync(folder.path)).toEqual(["a"]);
    });
  });
}

describe("a lock", () => {
  const missing = missingLauncher(["mdwe"]);
  test.skipIf(isSkipped(missing))(namedWhy("is neither told nor served, and goes with its part", missing), async () => {
    using folder = new TempFolder();
    await kill(await begin(folder.path, "a", ["mdwe"]));
    expect(readdirSync(folder.path)).toContain("a.commserver-lock");
    const storage = await LocalStorage.at(folder.path);
    const [owner] = readdirSync(folder.join("a.commserver-lock"));
    for (const path of ["a.commserver-lock", `a.commserver-lock/${owner}`, "a.COMMSERVER-LOCK"]) {
      expect(await codeOf(() => storage.stat(path))).toBe("NOT_ALLOWED");
      expect(await codeOf(() => storage.open(path))).toBe("NOT_ALLOWED");
    }
    const listed = await Array.fromAsync(storage.list("", { enter: () => true, skipped: { count: 0 } }));
    expect(listed.flat()).toEqual([]);
    const unfinished = (await Array.fromAsync(storage.unfinished())).map(({ path }) => path).sort();
    expect(unfinished).toEqual(["a.commserver-journal", "a.commserver-part"]);
    expect(await storage.removeUnfinished("a.commserver-part")).toBe(true);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.skipIf(isSkipped(missing))(namedWhy("that was left alone is found, and can be removed", missing), async () => {
    using folder = new TempFolder();
    const poor = await begin(folder.path, "a", ["mdwe"]);
    rmSync(folder.join("a.commserver-part"));
    rmSync(folder.join("a.commserver-journal"));
    const storage = await LocalStorage.at(folder.path);
    expect(await Array.fromAsync(storage.unfinished())).toMatchObject([{ path: "a.commserver-lock", size: 0 }]);
    expect(await storage.removeUnfinished("a.commserver-lock")).toBe(false);
    await kill(poor);
    expect(await storage.removeUnfinished("a.commserver-lock")).toBe(true);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
