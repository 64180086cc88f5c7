import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { faultOf } from "../../support/fault.ts";
import { writeTree } from "../../support/repository.ts";
import { factsOf, store, writeMissing } from "../../support/storing.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { noise } from "../../support/transport-recorder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let notices: string[];

beforeEach(() => {
  folder = new TempFolder();
  notices = [];
  writeTree(folder.path, { "one/a": "first", "other/a": "second", "other/only/b": "x" });
});

afterEach(() => folder[Symbol.dispose]());

const at = (name: string) => LocalStorage.at(folder.join(name), { onNotice: (message) => notices.push(message) });

async function textOf(storage: LocalStorage, path: string): Promise<string> {
  const file = await storage.open(path);
  const buffer = new Uint8Array(100);
  const text = Buffer.from(buffer.subarray(0, await file.read(buffer, 0))).toString();
  await file.close();
  return text;
}

/** Folders stand for their paths a twentieth of a second longer. */
function untilGone(storage: LocalStorage): Promise<unknown> {
  return until(() =>
    storage.stat("a").then(
      () => false,
      () => true,
    ),
  );
}

/** Make a link, or switch it in one step, as deploys do. */
function link(to: string): void {
  symlinkSync(to, folder.join("next"));
  renameSync(folder.join("next"), folder.join("current"));
}

describe("a repository that was moved away", () => {
  test("is reported as missing, with a message, for any request; the operator is warned once", async () => {
    const storage = await at("one");
    renameSync(folder.join("one"), folder.join("away"));
    await untilGone(storage);
    for (const path of ["", "a", "no/such"]) {
      const fault = await faultOf(() => storage.stat(path));
      expect(fault).toMatchObject({
        code: "UNREADABLE",
        message: "The server's repository is not there at present.",
      });
    }
    expect((await faultOf(() => store(storage, "new", noise(1)))).code).toBe("UNREADABLE");
    expect((await faultOf(() => store(storage, "new", noise(2 * BLOCK_BYTES)))).code).toBe("UNREADABLE");
    expect((await faultOf(() => storage.makeFolder("deep/new"))).code).toBe("UNREADABLE");
    expect(notices).toEqual([expect.stringContaining("is not there")]);
    expect(notices[0]).toContain(folder.join("one"));
  });

  test("is served again when it comes back, or another is made in its place", async () => {
    const storage = await at("one");
    renameSync(folder.join("one"), folder.join("away"));
    await untilGone(storage);
    mkdirSync(folder.join("one"));
    expect((await faultOf(() => storage.stat("a"))).code).toBe("NOT_FOUND");
    await store(storage, "new/b", noise(10));
    expect(readFileSync(folder.join("one/new/b"))).toHaveLength(10);
    rmSync(folder.join("one"), { recursive: true });
    renameSync(folder.join("away"), folder.join("one"));
    await until(() =>
      storage.stat("a").then(
        ({ size }) => size === 5,
        () => false,
      ),
    );
  });
});

describe("a repository behind a link", () => {
  test("is what the link leads to when something is asked for; the operator hears of a switch", async () => {
    link("one");
    const storage = await at("current");
    expect(await textOf(storage, "a")).toBe("first");
    link("other");
    await until(async () => (await textOf(storage, "a")) === "second");
    expect((await storage.stat("only/b")).kind).toBe("file");
    expect(storage.location).toBe(folder.join("other"));
    await store(storage, "new", noise(3));
    expect(readFileSync(folder.join("other/new"))).toHaveLength(3);
    expect(notices).toEqual([expect.stringContaining(folder.join("other"))]);
  });

  test("does not let a link of the new folder lead into the old one", async () => {
    link("one");
    const storage = await at("current");
    symlinkSync("../one/a", folder.join("other/way"));
    expect(await textOf(storage, "a")).toBe("first");
    link("other");
    await until(async () => (await textOf(storage, "a")) === "second");
    expect((await faultOf(() => storage.stat("way"))).code).toBe("NOT_ALLOWED");
  });

  test("that becomes a link later is followed as well", async () => {
    const storage = await at("one");
    renameSync(folder.join("one"), folder.join("away"));
    symlinkSync("other", folder.join("one"));
    await until(async () => (await textOf(storage, "a")) === "second");
    symlinkSync("../away/a", folder.join("other/way"));
    expect((await faultOf(() => storage.stat("way"))).code).toBe("NOT_ALLOWED");
  });

  test("a file that is being read stays the old one, and one that is being stored ends in words", async () => {
    link("one");
    const storage = await at("current");
    const open = await storage.open("a");
    const bytes = noise(2 * BLOCK_BYTES);
    const part = await storage.receive("large", factsOf(bytes), "fail");
    link("other");
    const buffer = new Uint8Array(10);
    expect(Buffer.from(buffer.subarray(0, await open.read(buffer, 0))).toString()).toBe("first");
    await open.close();
    await writeMissing(part, bytes);
    const fault = await faultOf(() => part.commit());
    expect(fault.message).toContain("was renamed or removed during the transfer");
    await until(async () => (await textOf(storage, "a")) === "second");
    await store(storage, "large", bytes);
    expect(readFileSync(folder.join("other/large")).equals(bytes)).toBe(true);
  });
});

test("a user's own folder is the one that it was, whatever link leads elsewhere by now", async () => {
  link("one");
  const storage = await LocalStorage.ofUser(folder.join("current"));
  link("other");
  expect(await textOf(storage, "a")).toBe("first");
  writeFileSync(folder.join("one/a"), "still");
  expect(await textOf(storage, "a")).toBe("still");
});
