import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { memoryPair } from "../../lib/transport/memory-transport.ts";
import { codeOf } from "../support/fault.ts";
import { NO_PATHS, PLAIN_NAMES, snapshot, WINDOWS_PATHS } from "../support/hostile-names.ts";
import { withoutCapability } from "../support/older-client.ts";
import { readWhole, writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, sendAll, type Told } from "../support/transfers.ts";

let folder: TempFolder;
let server: TestServer;
let client: Client;

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "repository/docs/a.txt": "a", "outside/secret": "secret" });
  server = new TestServer({ storage: await LocalStorage.at(folder.join("repository")) });
  client = await server.client();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Send a small file to `to`. */
async function put(to: string, content = "new", exists: "fail" | "overwrite" | "rename" = "overwrite"): Promise<Told> {
  const local = new MemoryStorage();
  local.set("source", new TextEncoder().encode(content));
  return sendAll(client, facadeOf(local, to), { paths: ["source"], exists });
}

/** `local`, whose one file is sent to `to`. */
function facadeOf(local: MemoryStorage, to: string): MemoryStorage {
  const stat = local.stat.bind(local);
  local.stat = async () => ({ ...(await stat("source")), path: to });
  const load = local.load.bind(local);
  local.load = () => load("source", 1_000);
  return local;
}

async function get(path: string): Promise<{ told: Told; local: MemoryStorage }> {
  const local = new MemoryStorage();
  const items = async function* () {
    yield [{ from: path, to: "here", kind: "file", size: 0, modifiedAt: 0 } satisfies TransferItem];
  };
  return { told: await fetchAll(client, local, { items }), local };
}

async function makeFolder(to: string): Promise<Told> {
  const { sent, choice } = { sent: new MemoryStorage(), choice: { paths: ["x"] } };
  sent.stat = async () => ({ path: to, kind: "folder", size: 0, modifiedAt: 0, executable: false, etag: "" });
  return sendAll(client, sent, choice);
}

async function listed(glob?: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of client.list(glob)) paths.push(path);
  return paths;
}

/** Each way for a client to name something, and the code with which it is refused. */
const WAYS: Record<string, (path: string) => Promise<string>> = {
  stat: (path) => codeOf(() => client.stat(path)),
  digest: (path) => codeOf(() => client.digest(path)),
  remove: (path) => codeOf(() => client.remove(path, true)),
  "rename from": (path) => codeOf(() => client.rename(path, "stolen", true)),
  "rename to": (path) => codeOf(() => client.rename("docs/a.txt", path, true)),
  get: async (path) => (await get(path)).told.codes.join(),
  put: async (path) => (await put(path)).codes.join(),
  "put of a folder": async (path) => (await makeFolder(path)).codes.join(),
};

describe("what is no path is refused by every method, and nothing changes", () => {
  test.each(Object.entries(NO_PATHS))("%s", async (_, path) => {
    const before = snapshot(folder.path);
    for (const [way, attempt] of Object.entries(WAYS)) {
      // That is no text, and does not even leave the client.
      const allowed = path.isWellFormed() ? "BAD_PATH" : "BAD_PARAMS";
      const code = await attempt(path).catch((error) => error.code);
      expect(`${way}: ${code}`).toBe(`${way}: ${allowed}`);
    }
    expect(snapshot(folder.path)).toEqual(before);
    expect((await client.send("on")).text).toBe("on ACK");
  });

  // A folder may be written with its slash; and what looks like a pattern is one.
  test.each(Object.entries(NO_PATHS).filter(([what, path]) => what !== "a slash behind" && !/[?[]/.test(path)))(
    "nor is it listed or watched: %s",
    async (_, path) => {
      const allowed = path.isWellFormed() ? "BAD_PATH" : "BAD_PARAMS";
      expect(await codeOf(() => listed(path))).toBe(allowed);
      expect(await codeOf(() => client.watch(path).next())).toBe(allowed);
    },
  );

  test.each([
    "../*",
    "../outside/*",
    "/etc/*",
    "docs/../../outside/*",
    "docs//*",
    "./*",
    "*/../../outside/*",
    "{..,docs}/../../outside/*",
    "**/../outside/secret",
  ])("nor is a pattern that begins in it, or passes it: list and watch of %p", async (glob) => {
    expect(await codeOf(() => listed(glob))).toBe("BAD_PATH");
    // "`glob` (optional, as in `list`)": a watch that can never tell anything is a mistake that nobody notices.
    const watching = client.watch(glob).next();
    const answered = client.send("in order").then(() => "watched");
    const code = watching.then(
      () => "told",
      (error) => error.code,
    );
    expect(await Promise.race([code, answered.then(() => Promise.race([code, "watched"]))])).toBe("BAD_PATH");
  });

  test.each(["[.][.]/outside/*", "?./*", "{.,docs}?/*", "*{/,[.][.]/}*"])(
    "a pattern finds nothing outside: %p",
    async (glob) => {
      expect((await listed(glob)).filter((path) => !path.startsWith("docs"))).toEqual([]);
    },
  );
});

describe("to a client that knows plain paths alone", () => {
  const PATHS = [...WINDOWS_PATHS, "C:/x", "docs/a\\b/c"];

  beforeEach(async () => {
    const [ours, theirs] = memoryPair({ a: "server", b: "memory" });
    server.server.accept(ours, "write");
    client = await server.clientOver(withoutCapability(theirs, "names"));
  });

  test.each(PATHS)("%p is no path, in any method", async (path) => {
    const before = snapshot(folder.path);
    for (const [way, attempt] of Object.entries(WAYS))
      expect(`${way}: ${await attempt(path)}`).toBe(`${way}: BAD_PATH`);
    expect(snapshot(folder.path)).toEqual(before);
    // With a `?` it is a pattern, which is a list of its own.
    if (path.includes("?")) return;
    expect(await codeOf(() => listed(path))).toBe("BAD_PATH");
    expect(await codeOf(() => client.watch(path).next())).toBe("BAD_PATH");
  });

  test.each(["a\\*", "docs/?\\b", "{a,x\\}*", "C:/*", "[\\]"])("the pattern %p is none", async (pattern) => {
    expect(await codeOf(() => listed(pattern))).toBe("BAD_PATH");
    expect(await codeOf(() => client.watch(pattern).next())).toBe("BAD_PATH");
  });

  test("a list leaves such names out, with what is in them, and names them", async () => {
    writeTree(folder.join("repository"), { "x:y": "1", "d/p\\q/in": "2", "d/T: 5.txt": "3", "a\\b": "4" });
    const list = client.list();
    const paths: string[] = [];
    let step = await list.next();
    for (; !step.done; step = await list.next()) paths.push(step.value.path);
    expect(paths.sort()).toEqual(["d", "d/T: 5.txt", "docs", "docs/a.txt"]);
    const names = step.value.leftOut?.map(({ name }) => name).sort();
    expect({ skipped: step.value.skipped, names }).toEqual({ skipped: 3, names: ["a\\b", "d/p\\q", "x:y"] });
    expect(await listed("**/*")).not.toContain("a\\b");
    expect(await listed("d/*")).toEqual(["d/T: 5.txt"]);
  });

  test("a watch does not tell them", async () => {
    const changes = client.watch();
    const first = changes.next();
    await client.stat("docs");
    await server.client().then(async (other) => {
      await other.rename("docs/a.txt", "x:y", false);
      await other.rename("x:y", "docs/a\\b", false);
      await other.rename("docs/a\\b", "last", false);
    });
    const paths: string[] = [];
    for (let step = await first; ; step = await changes.next()) {
      if (step.value !== undefined && step.value.change !== "missed") paths.push(step.value.path);
      if (paths.at(-1) === "last") break;
    }
    expect(paths.filter((path) => /[:\\]/.test(path))).toEqual([]);
    await changes.return(undefined);
  });
});

describe("a name in another dress is that very name, and nothing else", () => {
  test.each(PLAIN_NAMES)("%p", async (name) => {
    const repository = folder.join("repository");
    const before = snapshot(folder.join("outside"));
    expect((await put(`docs/${name}`, name)).paths).toEqual([`docs/${name}`]);
    expect(readdirSync(folder.join("repository/docs")).sort()).toEqual(["a.txt", name].sort());
    expect(await client.stat(`docs/${name}`)).toMatchObject({ path: `docs/${name}`, kind: "file" });
    expect(await listed("docs")).toContain(`docs/${name}`);
    expect((await readWhole((await get(`docs/${name}`)).local, "here")).toString()).toBe(name);
    await client.rename(`docs/${name}`, `${name}/${name}`, false);
    expect(readFileSync(`${repository}/${name}/${name}`, "utf8")).toBe(name);
    await client.remove(name, true);
    expect(readdirSync(repository)).toEqual(["docs"]);
    expect(snapshot(folder.join("outside"))).toEqual(before);
  });

  test.each(["?:*", "*\\*", undefined])("a watch of %p tells it", async (glob) => {
    const changes = client.watch(glob);
    const first = changes.next();
    await client.stat("docs");
    writeTree(folder.join("repository"), { "x:\\y": "1" });
    expect((await first).value).toMatchObject({ path: "x:\\y" });
    await changes.return(undefined);
  });

  test("names that a fold would make one are several files, none in the place of another", async () => {
    const names = [
      "caf\u00e9",
      "cafe\u0301",
      "CAFÉ",
      "Stra\u00dfe",
      "STRASSE",
      "\ufb01le",
      "file",
      "FILE",
      "\u212a",
      "K",
    ];
    for (const name of names) expect((await put(name, name, "fail")).codes).toEqual([]);
    const there = readdirSync(folder.join("repository")).filter((name) => name !== "docs");
    expect(there.sort()).toEqual([...names].sort());
    for (const name of names) expect(readFileSync(folder.join("repository", name), "utf8")).toBe(name);
    expect((await put("file", "other", "fail")).codes).toEqual(["EXISTS"]);
  });

  test("two files of one put that differ in the case of letters are both there", async () => {
    const local = new MemoryStorage();
    for (const name of ["new/Name", "new/name", "new/NAME"]) local.set(name, new TextEncoder().encode(name));
    expect((await sendAll(client, local, { exists: "fail" })).codes).toEqual([]);
    for (const name of ["new/Name", "new/name", "new/NAME"]) {
      expect(readFileSync(folder.join("repository", name), "utf8")).toBe(name);
    }
  });
});

describe("a name that is nothing but its extension", () => {
  test("gets a second one like any other with --rename", async () => {
    const name = `a.${"x".repeat(253)}`;
    expect((await put(name, "one", "fail")).codes).toEqual([]);
    const told = await put(name, "another", "rename");
    expect(told.codes).toEqual([]);
    expect(readFileSync(folder.join("repository", name), "utf8")).toBe("one");
  });
});

describe("names without end", () => {
  test("64 KiB of a name are refused, and the session goes on", async () => {
    const name = "x".repeat(60_000);
    expect(await codeOf(() => client.stat(name))).toBe("BAD_PATH");
    expect(await codeOf(() => client.rename("docs/a.txt", name, true))).toBe("BAD_PATH");
    expect(await codeOf(() => listed(`${name}*`))).toBe("BAD_PARAMS");
    expect((await put(name)).codes).toEqual(["BAD_PATH"]);
    expect((await get(name)).told.codes).toEqual(["BAD_PATH"]);
    expect((await client.send("on")).text).toBe("on ACK");
  });

  test("a refusal fits its frame whatever the name is made of, also for each of many files", async () => {
    // Quoted, each of these is six characters long.
    const name = "\u0001".repeat(200);
    expect(await codeOf(() => client.rename(name, name, true))).toBe("BAD_PATH");
    expect((await get(name)).told.codes).toEqual(["BAD_PATH"]);
    expect((await put(name)).codes).toEqual(["BAD_PATH"]);
    expect((await client.send("on")).text).toBe("on ACK");
  });

  test("a path that the system can't hold is refused, and makes no folders on its way", async () => {
    mkdirSync(folder.join("repository/deep"));
    const name = "n".repeat(254);
    const path = `deep/${Array.from({ length: 16 }, () => name).join("/")}`;
    expect(path.length).toBeLessThan(4_096);
    expect(await codeOf(() => client.stat(path))).toMatch(/^(NOT_FOUND|BAD_PATH)$/);
    for (const attempt of [put, makeFolder]) {
      const told = await attempt(path);
      if (told.codes.length > 0) expect(existsSync(folder.join("repository/deep", name))).toBe(false);
    }
  });
});
