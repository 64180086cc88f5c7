/** What PROTOCOL.md says of the order in which requests are judged, and of links and paths below files. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { ERRORS } from "../../lib/errors.ts";
import type { ServerOptions } from "../../lib/server/server-options.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { RawTransfers } from "../support/raw-transfers.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { until } from "../support/until.ts";

const NAMES = new Map<number, string>(Object.entries(ERRORS).map(([name, { wire }]) => [wire, name]));

let folder: TempFolder;
let server: TestServer;
let peer: RawPeer;
let raw: RawTransfers;

async function open(options: Partial<ServerOptions> = {}): Promise<void> {
  server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")), ...options });
  peer = await RawPeer.admitted(server.listen(), { credit: 1_000_000 });
  raw = new RawTransfers(peer);
}

beforeEach(() => {
  folder = new TempFolder();
  mkdirSync(folder.join("repository/docs"), { recursive: true });
  mkdirSync(folder.join("outside"));
  writeFileSync(folder.join("repository/a.txt"), "abc");
  writeFileSync(folder.join("repository/docs/b"), "b");
  writeFileSync(folder.join("outside/secret"), "secret");
});

afterEach(async () => {
  await peer[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The code of the RESET, or "ok" with ACCEPT. */
async function codeOf(method: string, params: object = {}, hasBody = false): Promise<string> {
  const stream = raw.open(method, params, !hasBody);
  return until(() => {
    const [reset] = raw.frames(stream, "RESET");
    if (reset !== undefined) return NAMES.get(reset.json.code);
    return raw.frames(stream, "ACCEPT").length > 0 ? "ok" : undefined;
  });
}

describe("a request is judged in order", () => {
  test("by its method, its role and its body, before its params", async () => {
    await open();
    expect(await codeOf("nope", { path: 5 }, true)).toBe("UNKNOWN_METHOD");
    expect(await codeOf("kick", { name: 5 }, true)).toBe("NOT_ALLOWED");
    expect(await codeOf("remove", { path: 5 }, true)).toBe("BAD_PARAMS");
  });

  test("by whether the repository may be written, once its body is right", async () => {
    await open({ writable: false });
    expect(await codeOf("remove", { path: 5 }, true)).toBe("BAD_PARAMS");
    expect(await codeOf("remove", { path: 5 })).toBe("NOT_ALLOWED");
    expect(await codeOf("put", {}, true)).toBe("NOT_ALLOWED");
  });

  test("by its rate, before its params; and by these before what is there", async () => {
    await open({ callRates: { messages: 1, lists: 1, pages: 1 } });
    for (const code of ["BAD_PARAMS", "BAD_PATH", "TOO_OFTEN"]) {
      expect(await codeOf("list", { glob: code === "BAD_PATH" ? "../*" : 5 })).toBe(code);
    }
    expect(await codeOf("stat", { path: 5 })).toBe("BAD_PARAMS");
    expect(await codeOf("rename", { from: "none", to: "../x" })).toBe("BAD_PATH");
    expect(await codeOf("rename", { from: "none", to: "x" })).toBe("NOT_FOUND");
  });
});

describe("links and paths", () => {
  const READ = ["stat", "digest", "list"] as const;
  const paramsOf = (method: string, path: string) => (method === "list" ? { glob: path } : { path });

  beforeEach(async () => {
    const links = { file: "a.txt", folder: "docs", out: "../outside", nowhere: "none", itself: "itself" };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, folder.join("repository", name));
    await open();
  });

  test.each([
    ["out", "NOT_ALLOWED"],
    ["out/secret", "NOT_ALLOWED"],
    ["out/none", "NOT_ALLOWED"],
    ["nowhere", "NOT_FOUND"],
    ["nowhere/x", "NOT_FOUND"],
    ["itself", "UNREADABLE"],
    ["a.txt/x", "NOT_FOUND"],
    ["file/x", "NOT_FOUND"],
    ["docs/x.commserver-part", "NOT_ALLOWED"],
    ["x.COMMSERVER-JOURNAL/y", "NOT_ALLOWED"],
  ])("%s is %s for who asks for it, in every way", async (path, code) => {
    for (const method of READ)
      expect(`${method} ${await codeOf(method, paramsOf(method, path))}`).toBe(`${method} ${code}`);
    const [fail] = await raw.get({ id: 1, path });
    expect(NAMES.get(fail?.json.code)).toBe(code);
    expect(await codeOf("rename", { from: path, to: "moved" })).toBe(code);
  });

  test("remove removes the link itself, wherever it leads; a path through one that leads out is NOT_ALLOWED", async () => {
    for (const path of ["out/secret", "out/none"]) expect(await codeOf("remove", { path })).toBe("NOT_ALLOWED");
    for (const path of ["out", "nowhere", "itself", "file", "folder"]) {
      expect(await codeOf("remove", { path, recursive: true })).toBe("ok");
      expect(lstatSync(folder.join("repository", path), { throwIfNoEntry: false })).toBeUndefined();
    }
    expect(readdirSync(folder.join("repository")).sort()).toEqual(["a.txt", "docs"]);
    expect(existsSync(folder.join("outside/secret"))).toBe(true);
  });

  test("rename takes the link itself, when it leads to something inside", async () => {
    for (const path of ["file", "folder"]) {
      expect(await codeOf("rename", { from: path, to: `moved/${path}` })).toBe("ok");
      expect(readlinkSync(folder.join("repository/moved", path))).toBe(path === "file" ? "a.txt" : "docs");
    }
  });

  test.each([
    ["a.txt", "docs/b", false, "EXISTS"],
    ["a.txt", "docs/b", true, "ok"],
    ["a.txt", "nowhere", false, "EXISTS"],
    ["a.txt", "nowhere", true, "ok"],
    ["a.txt", "docs", true, "EXISTS"],
    ["docs", "a.txt", true, "EXISTS"],
    ["docs", "docs", false, "ok"],
    ["docs", "docs/in", true, "BAD_PATH"],
    ["docs", "a.txt/in", true, "EXISTS"],
    ["a.txt", "out/in", true, "NOT_ALLOWED"],
    ["docs", "new/deep/docs", false, "ok"],
  ])("rename of %s to %s, overwrite %p: %s", async (from, to, overwrite, code) => {
    expect(await codeOf("rename", { from, to, overwrite })).toBe(code);
    expect(readdirSync(folder.join("outside"))).toEqual(["secret"]);
  });

  test("a folder that holds unfinished files alone is listed as empty, and is NOT_EMPTY", async () => {
    mkdirSync(folder.join("repository/half"));
    writeFileSync(folder.join("repository/half/x.commserver-part"), "x");
    expect(await codeOf("remove", { path: "half" })).toBe("NOT_EMPTY");
    expect(await codeOf("remove", { path: "half", recursive: true })).toBe("ok");
  });

  test("a list has what is in a folder behind it at once", async () => {
    mkdirSync(folder.join("repository/docs/deep"));
    for (const path of ["docs/deep/1", "docs/deep/2", "docs/z", "zz"])
      writeFileSync(folder.join("repository", path), "");
    const stream = raw.open("list", {}, true);
    expect(await raw.outcome(stream)).toBe("ended");
    const paths = raw.records(stream).map(({ path }) => path as string);
    for (const [at, path] of paths.entries()) {
      const below = paths.filter((other) => other.startsWith(`${path}/`));
      expect(paths.slice(at + 1, at + 1 + below.length)).toEqual(below);
    }
  });
});
