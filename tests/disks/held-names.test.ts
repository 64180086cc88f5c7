/** Names that a disk can't hold: one code and one sentence, whatever the disk says and whoever it belongs to. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import type { FileFacts } from "../../lib/storage/storage.ts";
import { DISKS } from "../support/disks.ts";
import { move } from "../support/folder-transfer.ts";
import { isSkipped, namedWhy } from "../support/launched.ts";
import { BLOCK } from "../support/raw-chunks.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { noise } from "../support/transport-recorder.ts";

/** What exFAT has no place for. */
const ODD = ["a:b", "what?", "star*", 'quo"te', "less<more>", "pi|pe", "back\\slash", "C:"];
const LONG = `${"x".repeat(250)}:y`;
const facts = (size: number): FileFacts => ({ size, modifiedAt: 1, executable: false, etag: "e" });

async function attempt(work: () => unknown): Promise<string> {
  try {
    await work();
    return "made";
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
}

for (const kind of DISKS) {
  const canHold = kind.refused === undefined;
  describe.skipIf(isSkipped(kind.missing))(namedWhy(`on ${kind.name}`, kind.missing), () => {
    test.each(["server", "user"] as const)(
      "each way to make something under such a name is told alike: a %s's",
      async (owner) => {
        await using disk = await kind.open();
        const storage = await (owner === "server" ? LocalStorage.at(disk.path) : LocalStorage.ofUser(disk.path));
        writeFileSync(join(disk.path, "plain"), "plain");
        const before = readdirSync(disk.path).sort();
        for (const [at, name] of [...ODD, LONG].entries()) {
          const ways: [way: string, path: string, work: () => unknown][] = [
            ["store", name, () => storage.store(name, facts(1), "fail", new Uint8Array(1))],
            ["overwrite", name, () => storage.store(name, facts(1), "overwrite", new Uint8Array(1))],
            [
              "store below",
              `n${at}/${name}/x`,
              () => storage.store(`n${at}/${name}/x`, facts(1), "fail", new Uint8Array(1)),
            ],
            ["receive", name, async () => (await storage.receive(name, facts(2 * BLOCK), "fail")).discard()],
            ["folder", `f${name}`, () => storage.makeFolder(`f${name}`)],
            ["rename", `r${name}`, () => storage.rename("plain", `r${name}`, { overwrite: true })],
          ];
          for (const [way, path, work] of ways) {
            const refusal = `BAD_PATH The disk can't hold the name ${quoted(path)}.`;
            expect(`${way} ${await attempt(work)}`).toBe(`${way} ${canHold ? "made" : refusal}`);
          }
          writeFileSync(join(disk.path, "plain"), "plain");
        }
        if (!canHold) expect(readdirSync(disk.path).sort()).toEqual(before);
      },
    );

    test.each(["get", "put"] as const)("a %s of a folder names each of them, and the others arrive", async (method) => {
      await using disk = await kind.open();
      using source = new TempFolder();
      mkdirSync(source.join("d?"));
      for (const name of [...ODD, "good", "d?/in", "big:file"]) {
        writeFileSync(source.join(name), name === "big:file" ? noise(2 * BLOCK) : name);
      }
      const told = await move(method, source.path, disk.path, { exists: "fail" });
      const bad = canHold ? [] : [...ODD, "big:file", "d?", "d?/in"];
      expect(told.failed.map(({ code, message }) => `${code} ${message}`).sort()).toEqual(
        bad.map((name) => `BAD_PATH The disk can't hold the name ${quoted(name)}.`).sort(),
      );
      expect(readFileSync(join(disk.path, "good"), "utf8")).toBe("good");
      if (!canHold) expect(readdirSync(disk.path)).toEqual(["good"]);
    });

    test.each(["x.", "x ", "...", "d./x"])("%p comes whole, or not at all and in place of nothing", async (name) => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      mkdirSync(join(disk.path, "d"));
      for (const other of ["x", "d/x"]) writeFileSync(join(disk.path, other), "other");
      const isHeld = name.split("/").every((each) => kind.refused?.test(each) !== true);
      const told = isHeld ? "made" : `BAD_PATH The disk can't hold the name ${quoted(name)}.`;
      expect(await attempt(() => storage.store(name, facts(1), "overwrite", new Uint8Array(1)))).toBe(told);
      expect(await attempt(() => storage.makeFolder(`f${name}`))).toBe(told.replace(quoted(name), quoted(`f${name}`)));
      for (const other of ["x", "d/x"]) expect(readFileSync(join(disk.path, other), "utf8")).toBe("other");
      const names = readdirSync(disk.path);
      if (isHeld)
        expect(names).toEqual(expect.arrayContaining([name, `f${name}`].map((path) => path.split("/")[0] ?? "")));
      else expect(names.sort()).toEqual(["d", "x"]);
    });

    test("a name that it can hold is no reason when something else is the matter", async () => {
      await using disk = await kind.open();
      const storage = await LocalStorage.at(disk.path);
      writeFileSync(join(disk.path, "file"), "");
      expect(await attempt(() => storage.store("file/x", facts(1), "fail", new Uint8Array(1)))).toStartWith("EXISTS");
      expect(await attempt(() => storage.store("file", facts(1), "fail", new Uint8Array(1)))).toStartWith("EXISTS");
      expect(await attempt(() => storage.rename("none", "a:b", { overwrite: false }))).toStartWith("NOT_FOUND");
    });
  });
}

function quoted(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
