import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import fc from "fast-check";
import { typedSource } from "../../lib/cli/client/typed-paths.ts";
import type { Client } from "../../lib/client/client.ts";
import { planFetch } from "../../lib/client/fetch-plan.ts";
import type { TransferItem } from "../../lib/client/transfer.ts";
import { CommError, RemoteError } from "../../lib/errors.ts";
import { isGlob } from "../../lib/glob.ts";
import { pathFault } from "../../lib/path.ts";
import type { Entry } from "../../lib/protocol/methods.ts";
import { LocalStorage } from "../../lib/storage/local/local.ts";
import { facade } from "../support/facade.ts";
import { codeOf } from "../support/fault.ts";
import { NO_PATHS, PLAIN_NAMES, snapshot, WINDOWS_PATHS } from "../support/hostile-names.ts";
import { writeTree } from "../support/repository.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestServer } from "../support/test-server.ts";
import { fetchAll, type Told } from "../support/transfers.ts";

const entry = (path: string, kind: Entry["kind"] = "file"): Entry => ({ path, kind, size: 1, modifiedAt: 0 });

/** The client of a server that lists what it likes, and says of every path that it is a folder, but of none that is a pattern. */
function lied(client: Client, entries: readonly Entry[]): Client {
  return facade(client, {
    stat: async (path: string) => {
      if (isGlob(path)) throw new RemoteError("NOT_FOUND", "There is no such thing.");
      return { ...entry(path, "folder"), executable: false, etag: "" };
    },
    listBatches: async function* () {
      yield [...entries];
      return { entries: entries.length, skipped: 0 };
    } as unknown as Client["listBatches"],
  });
}

/** What a `get` of `typed` plans against such a server. */
async function planOf(
  client: Client,
  typed: string,
  entries: readonly Entry[],
  name?: string,
): Promise<TransferItem[]> {
  const planned: TransferItem[] = [];
  const plan = planFetch(lied(client, entries), {
    sources: [typedSource(typed)],
    naming: { into: name ?? "" },
    signal: new AbortController().signal,
    onPlanned: (item) => planned.push(item),
    onFailed: () => {},
    onLeftOut: () => {},
  });
  for await (const _ of plan);
  return planned;
}

let folder: TempFolder;
let server: TestServer;
let client: Client;
let local: LocalStorage;

beforeEach(async () => {
  folder = new TempFolder();
  writeTree(folder.path, { "home/here/mine": "mine", "home/.bashrc": "precious", secret: "precious" });
  server = new TestServer();
  client = await server.client();
  local = await LocalStorage.ofUser(folder.join("home/here"));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Fetch every item to where it says, as from a server that has anything under any name. */
async function fetch(
  items: readonly TransferItem[],
  exists: "fail" | "overwrite" | "rename" = "overwrite",
): Promise<Told> {
  server.storage.set("any", new Uint8Array(3));
  const source = async function* () {
    yield items.map((item) => ({ ...item, from: "any" }));
  };
  return fetchAll(client, local, { items: source, exists });
}

const everythingElse = () =>
  Object.fromEntries(Object.entries(snapshot(folder.path)).filter(([path]) => !path.startsWith("home/here/")));

describe("a server that lists what is no path, or was not asked for", () => {
  test.each(Object.entries(NO_PATHS).filter(([what]) => what !== "4097 bytes"))(
    "is not believed, whatever is fetched: %s",
    async (_, path) => {
      for (const typed of [".", "docs", "**", "*", "docs/**", "{docs,src}/**"]) {
        for (const kind of ["file", "folder"] as const) {
          const planning = planOf(client, typed, [entry(path, kind)]);
          expect(
            await planning.then(
              () => "planned",
              ({ code }) => code,
            ),
          ).toBe("BAD_PAYLOAD");
        }
      }
    },
  );

  test.each([...WINDOWS_PATHS, "C:/Windows/win.ini"])(
    "is not believed when it knows plain paths alone, and lists %p",
    async (path) => {
      const older = facade(client, { paths: "plain" });
      for (const typed of [".", "**", "?*"]) {
        expect(await codeOf(() => planOf(older, typed, [entry(path)]))).toBe("BAD_PAYLOAD");
      }
      const [planned] = await planOf(client, ".", [entry(path)]);
      expect(planned?.to).toBe(path);
    },
  );

  test.each([
    ["that is above what the pattern names in full", ["docs", "docs/sub/a.txt"]],
    ["that is elsewhere", ["other", "docs/sub/a.txt"]],
    ["that is no path", ["docs/../..", "docs/sub/a.txt"]],
  ])("is not believed when it lists a folder on the way %s", async (_, [parent = "", file = ""]) => {
    const planning = planOf(client, "docs/*/a.txt", [entry(parent, "folder"), entry(file)]);
    await expect(planning).rejects.toMatchObject({ code: "BAD_PAYLOAD" });
  });

  test("makes no folder by a pattern but those on the way to what it lists", async () => {
    const listed = [entry("docs/none", "folder"), entry("docs/sub", "folder"), entry("docs/sub/a.txt")];
    const planned = await planOf(client, "docs/*/a.txt", [...listed, entry("docs/last", "folder")]);
    expect(planned.map(({ to }) => to)).toEqual(["sub", "sub/a.txt"]);
  });

  test.each(["docs2/a", "doc", "a", ".bashrc", "Docs/a", "docs", "do\u200bcs/a"])(
    "is not believed when `docs` is fetched: %p",
    async (path) => {
      const planning = planOf(client, "docs", [entry(path)]);
      expect(
        await planning.then(
          (items) => items,
          ({ code }) => code,
        ),
      ).toBe("BAD_PAYLOAD");
    },
  );

  /** What a person may type, slips of the hand included. */
  const typed = fc
    .array(
      fc.constantFrom("docs", "*", "**", "/", "/", "//", ".", "..", "\\", "\\c", "!", "[a-z]", "{a,docs}", "?", "a"),
      {
        minLength: 1,
        maxLength: 7,
      },
    )
    .map((parts) => parts.join(""));
  const listed = fc
    .array(fc.constantFrom("docs", "a", "c", "x..", "..", ".bashrc", "b", "..."), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join("/"));

  test("never brings about a target that is no path, whatever was typed", async () => {
    const name = fc.option(fc.constant("out"), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(typed, listed, name, fc.constantFrom("file", "folder"), async (source, path, to, kind) => {
        const items = await planOf(client, source, [entry(path, kind)], to).catch((error) => {
          if (error instanceof CommError) return [];
          throw error;
        });
        for (const item of items) {
          expect({ source, path, to: item.to, fault: pathFault(item.to) }).toEqual({
            source,
            path,
            to: item.to,
            fault: undefined,
          });
          if (to !== undefined) expect(`${item.to}/`).toStartWith(`${to}/`);
        }
      }),
      { numRuns: 3_000, examples: [["a\\c/**", "ac/x../y", undefined, "file"]] },
    );
  });

  test("a listed file that would have no path here is reported, and the next one arrives", async () => {
    const failed: string[] = [];
    // Of 126 components, of the 128 that a path may have.
    const into = "d/".repeat(125).concat("d");
    const plan = planFetch(lied(client, [entry("docs/sub/x"), entry("docs/y")]), {
      sources: ["docs"],
      naming: { into },
      signal: new AbortController().signal,
      onPlanned: () => {},
      onFailed: (path, { code }) => failed.push(`${path}: ${code}`),
      onLeftOut: () => {},
    });
    const targets: string[] = [];
    for await (const items of plan) targets.push(...items.map(({ to }) => to));
    expect({ targets, failed }).toEqual({
      targets: [`${into}/docs`, `${into}/docs/y`],
      failed: ["docs/sub/x: BAD_PATH"],
    });
  });

  test("writes nothing beside the folder that a pattern with a backslash was to go to", async () => {
    const items = await planOf(client, "a\\c/**", [entry("ac/x../.profile")], "out").catch(() => []);
    await fetch(items);
    expect(existsSync(folder.join("home/here/.profile"))).toBe(false);
  });
});

describe("whatever a target is, nothing is written outside of the folder", () => {
  const file = (to: string, kind: "file" | "folder" = "file"): TransferItem => ({
    from: "any",
    to,
    kind,
    size: 3,
    modifiedAt: 0,
  });

  test.each(Object.entries(NO_PATHS).filter(([what]) => what !== "4097 bytes"))(
    "not even if a plan lets it pass: %s",
    async (_, to) => {
      const before = everythingElse();
      for (const exists of ["fail", "overwrite", "rename"] as const) {
        for (const kind of ["file", "folder"] as const) await fetch([file(to, kind)], exists).catch(() => {});
      }
      await fetch([
        file("../.bashrc"),
        file("..", "folder"),
        file("../../secret"),
        file("../here-too", "folder"),
      ]).catch(() => {});
      expect(everythingElse()).toEqual(before);
    },
  );

  test("names in another dress are files of those names", async () => {
    const before = everythingElse();
    const told = await fetch(PLAIN_NAMES.map((name) => file(name)));
    expect(told.failed).toEqual([]);
    expect(told.paths).toEqual([...PLAIN_NAMES].sort());
    for (const name of PLAIN_NAMES) expect(existsSync(folder.join("home/here", name))).toBe(true);
    expect(everythingElse()).toEqual(before);
  });

  test("not through links that lie in the folder, and what they lead to stays", async () => {
    const here = folder.join("home/here");
    symlinkSync("..", `${here}/up`);
    symlinkSync("../.bashrc", `${here}/rc`);
    symlinkSync("/", `${here}/root`);
    symlinkSync("/dev/null", `${here}/null`);
    symlinkSync("../missing", `${here}/dangling`);
    const before = everythingElse();
    const told = await fetch([
      file("up/.bashrc"),
      file("up/new"),
      file("up/folder", "folder"),
      file(`root${folder.path}/planted`),
      file("rc"),
      file("null"),
      file("dangling"),
      file("dangling/below"),
    ]);
    expect(everythingElse()).toEqual(before);
    // The links that were named are replaced, not followed.
    expect(told.paths).toEqual(["dangling", "null", "rc"]);
    expect(existsSync("/dev/null")).toBe(true);
  });

  test("a folder is not made or used in the place of a link that leads out", async () => {
    symlinkSync("../..", folder.join("home/here/docs"));
    const before = everythingElse();
    const told = await fetch([file("docs", "folder"), file("docs/secret"), file("docs/sub", "folder")]);
    expect(told.codes).toEqual(["NOT_ALLOWED", "NOT_ALLOWED", "NOT_ALLOWED"]);
    expect(everythingElse()).toEqual(before);
  });

  test("what is unfinished of another file is not touched by its name", async () => {
    writeTree(folder.join("home/here"), { "mine.commserver-part": "part", "mine.commserver-journal": "journal" });
    const told = await fetch([
      file("mine.commserver-part"),
      file("mine.commserver-journal"),
      file("x.commserver-part/y"),
    ]);
    expect(told.codes).toEqual(["NOT_ALLOWED", "NOT_ALLOWED", "NOT_ALLOWED"]);
    expect(readFileSync(folder.join("home/here/mine.commserver-part"), "utf8")).toBe("part");
  });

  test("two targets that a fold would make one are two files", async () => {
    mkdirSync(folder.join("home/here/d"));
    const names = ["d/caf\u00e9", "d/cafe\u0301", "d/File", "d/file"];
    const told = await fetch(
      names.map((name) => file(name)),
      "fail",
    );
    expect(told.paths).toEqual([...names].sort());
  });
});
