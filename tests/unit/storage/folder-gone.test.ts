/** Somebody removes or renames a folder in the very moment in which something is written there: nobody is to blame. */

import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { rejection } from "../../support/outcomes.ts";
import { BLOCK } from "../../support/raw-chunks.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;
let storage: LocalStorage;

beforeEach(async () => {
  folder = new TempFolder();
  fs.mkdirSync(folder.join("tmp"));
  fs.writeFileSync(folder.join("one"), "1");
  storage = await LocalStorage.at(folder.path);
});

afterEach(() => folder[Symbol.dispose]());

type Call = "lstatSync" | "openSync" | "linkSync" | "mkdirSync" | "renameSync";

/** Do `work`; before the first `call` of the system whose path ends so, `meanwhile` happens. */
async function disturbed(call: Call, end: RegExp, meanwhile: () => void, work: () => unknown): Promise<unknown> {
  const original = fs[call] as (...args: unknown[]) => unknown;
  let happened = false;
  const calling = spyOn(fs, call).mockImplementation(((...args: unknown[]) => {
    if (!happened && args.slice(0, 2).some((path) => end.test(String(path)))) {
      happened = true;
      meanwhile();
    }
    return original(...args);
  }) as never);
  try {
    return await work();
  } finally {
    calling.mockRestore();
    expect(happened).toBe(true);
  }
}

const remove = (name: string) => () => fs.rmSync(folder.join(name), { recursive: true });
const facts = (size: number) => ({ size, modifiedAt: 1_600_000_000_000, executable: false, etag: "e" });

test("a folder that was removed and made again at once is the new one, for every operation in it", async () => {
  // All of it in one moment, however busy the machine is.
  using _moment = spyOn(performance, "now").mockReturnValue(0);
  await storage.store("tmp/first", facts(1), "fail", new Uint8Array(1));
  remove("tmp")();
  fs.mkdirSync(folder.join("tmp"));
  await storage.store("tmp/second", facts(1), "fail", new Uint8Array(1));
  await storage.makeFolder("tmp/below");
  expect(fs.readdirSync(folder.join("tmp")).toSorted()).toEqual(["below", "second"]);
});

describe("a folder that goes while something is written there is NOT_FOUND, and no failure of the server:", () => {
  test("for a small file", async () => {
    const storing = async () => storage.store("tmp/small", facts(1), "overwrite", new Uint8Array(1));
    const error = await rejection(disturbed("lstatSync", /small$/, remove("tmp"), storing));
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining('"tmp/small"') });
  });

  test("for a large one at its beginning", async () => {
    const receiving = () => storage.receive("tmp/large", facts(2 * BLOCK), "fail");
    expect(await rejection(disturbed("openSync", /large/, remove("tmp"), receiving))).toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("for a large one at its end", async () => {
    const part = await storage.receive("tmp/large", facts(0), "overwrite");
    const error = await rejection(disturbed("renameSync", /large$/, remove("tmp"), () => part.commit()));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
  });

  test("for a folder in it", async () => {
    const making = () => storage.makeFolder("tmp/deep/deeper");
    const error = await rejection(disturbed("mkdirSync", /deeper$/, remove("tmp"), making));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
  });

  test("for what is moved into it", async () => {
    const moving = () => storage.rename("one", "tmp/two", { overwrite: false });
    const error = await rejection(disturbed("linkSync", /two$/, remove("tmp"), moving));
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining('"tmp/two"') });
    expect(fs.existsSync(folder.join("one"))).toBe(true);
  });

  test("for what is moved out of it, which is named then", async () => {
    fs.writeFileSync(folder.join("tmp/two"), "2");
    const moving = () => storage.rename("tmp/two", "three", { overwrite: false });
    const error = await rejection(disturbed("linkSync", /three$/, remove("tmp"), moving));
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining('"tmp/two"') });
    expect(fs.readdirSync(folder.path)).toEqual(["one"]);
  });
});

test("in a user's own folder it is the disk's refusal, as before", async () => {
  const own = await LocalStorage.ofUser(folder.path);
  const storing = async () => own.store("tmp/small", facts(1), "overwrite", new Uint8Array(1));
  expect(await rejection(disturbed("lstatSync", /small$/, remove("tmp"), storing))).toMatchObject({
    code: "DISK_DENIED",
  });
});
