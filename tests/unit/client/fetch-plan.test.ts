/** What a `get` would fetch, and under which names. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Client } from "../../../lib/client/client.ts";
import { type FetchNaming, planFetch } from "../../../lib/client/fetch-plan.ts";
import { Filter, type FilterRules } from "../../../lib/client/filter.ts";
import { ERRORS, RemoteError } from "../../../lib/errors.ts";
import type { Entry, ListTrailer } from "../../../lib/protocol/methods.ts";
import { facade } from "../../support/facade.ts";
import { faultOf } from "../../support/fault.ts";
import { TestServer } from "../../support/test-server.ts";

let server: TestServer;
let client: Client;

beforeEach(async () => {
  server = new TestServer();
  for (const path of ["top", "docs/a.txt", "docs/deep/b.txt", "docs/c.md"]) {
    server.storage.set(path, new Uint8Array(3), 7);
  }
  await server.storage.makeFolder("docs/empty", 0o700);
  client = await server.client();
});

afterEach(() => server[Symbol.asyncDispose]());

/** Targets of what is planned, a folder's with a slash; what fails and what is left out is told by code and name. */
async function planned(
  sources: string[],
  naming: Partial<FetchNaming> = {},
  from = client,
  rules?: Partial<FilterRules>,
): Promise<string[]> {
  const told: string[] = [];
  const plan = planFetch(from, {
    sources,
    naming: { into: "", ...naming },
    filter: rules && new Filter({ lines: [], exclude: [], include: [], ...rules }),
    signal: new AbortController().signal,
    onPlanned: () => {},
    onFailed: (source, { code, message }) => told.push(`${code} ${source}: ${message}`),
    onLeftOut: ({ path, code, why, count }) => told.push(`left ${code} ${path}: ${why} ${count ?? ""}`.trim()),
  });
  for await (const items of plan) told.push(...items.map(({ to, kind }) => (kind === "folder" ? `${to}/` : to)));
  return told;
}

describe("one file", () => {
  test("keeps its own name, without the folders above it", async () => {
    expect(await planned(["docs/deep/b.txt"])).toEqual(["b.txt"]);
    expect(await planned(["docs/deep/b.txt"], { into: "here" })).toEqual(["here/b.txt"]);
  });

  test("takes the place of the file that was named, or another name in the folder", async () => {
    expect(await planned(["top"], { into: undefined, fileName: "mine.txt" })).toEqual(["mine.txt"]);
    expect(await planned(["top"], { into: "here", as: "new/name" })).toEqual(["here/new/name"]);
    // A name below the target counts more than the target's own.
    expect(await planned(["top"], { into: "here", as: "name", fileName: "mine.txt" })).toEqual(["here/name"]);
  });

  test("comes with its facts", async () => {
    const items = [];
    const events = { onPlanned() {}, onFailed() {}, onLeftOut() {} };
    const { signal } = new AbortController();
    for await (const batch of planFetch(client, { sources: ["top"], naming: { into: "" }, signal, ...events })) {
      items.push(...batch);
    }
    expect(items).toMatchObject([{ from: "top", to: "top", kind: "file", size: 3, modifiedAt: 7 }]);
    // It was named: that it is gone is a failure.
    expect(items[0]?.isFound).toBeUndefined();
  });
});

describe("a folder", () => {
  test("comes with all that it holds, under its own name", async () => {
    const all = ["docs/", "docs/a.txt", "docs/c.md", "docs/deep/", "docs/deep/b.txt", "docs/empty/"];
    expect((await planned(["docs"])).sort()).toEqual(all.sort());
    expect(await planned(["docs/deep"], { into: "here" })).toEqual(["here/deep/", "here/deep/b.txt"]);
  });

  test("may get another name, and so may the whole repository", async () => {
    expect(await planned(["docs/deep"], { into: "here", as: "new" })).toEqual(["here/new/", "here/new/b.txt"]);
    expect(await planned([""], { into: "here", as: "new" })).toContain("here/new/docs/deep/b.txt");
    expect(await planned([""], { into: "here" })).toContain("here/docs/deep/b.txt");
  });

  test("that is empty comes alone", async () => {
    expect(await planned(["docs/empty"])).toEqual(["empty/"]);
    await server.storage.remove("docs", { recursive: true, signal: new AbortController().signal });
    server.storage.delete("top");
    expect(await planned([""])).toEqual([]);
  });

  test("can't take the place of a file", async () => {
    const error = await faultOf(() => planned(["docs"], { into: undefined, fileName: "mine.txt" }));
    expect(error).toMatchObject({ code: "MALFORMED", reason: "file" });
  });
});

describe("a pattern", () => {
  test("brings what it matches, and the folders on the way, without those above its first star", async () => {
    expect(await planned(["docs/*.txt"])).toEqual(["a.txt"]);
    expect(await planned(["**/*.txt"])).toEqual(["docs/", "docs/a.txt", "docs/deep/", "docs/deep/b.txt"]);
  });

  test("brings folders that it matches only when it is for all below them", async () => {
    expect(await planned(["docs/e*"])).toEqual([]);
    expect((await planned(["docs/**"])).sort()).toEqual(["a.txt", "c.md", "deep/", "deep/b.txt", "empty/"]);
  });

  test("that matches nothing is NOT_FOUND, and the other sources come all the same", async () => {
    expect(await planned(["*.none", "top"])).toEqual(['NOT_FOUND *.none: Nothing matches "*.none".', "top"]);
    expect(await planned(["none", "top"])).toEqual([expect.stringMatching(/^NOT_FOUND none: /), "top"]);
  });

  test("can't get one name", async () => {
    const error = await faultOf(() => planned(["*.txt"], { into: "here", as: "new" }));
    expect(error).toMatchObject({ code: "MALFORMED", reason: "pattern", source: "*.txt" });
  });
});

describe("what a server leaves out", () => {
  const leaving = (trailer: Omit<ListTrailer, "entries">, entries: readonly Entry[] = []) =>
    facade(client, {
      listBatches: async function* () {
        yield [...entries];
        return { entries: entries.length, ...trailer };
      },
    });
  const named = (name: string, code: "UNREADABLE" | "NOT_FOUND" | "BAD_PATH") => ({ name, code: ERRORS[code].wire });

  test("is reported by name, and what it may not read is a failure", async () => {
    const leftOut = [named("docs/x", "UNREADABLE"), named("docs/y", "NOT_FOUND"), named("docs/z\n", "BAD_PATH")];
    const told = await planned(["docs"], {}, leaving({ skipped: 3, unreadable: 1, leftOut }));
    expect(told).toEqual([
      "docs/",
      expect.stringMatching(/^UNREADABLE docs\/x: /),
      "left NOT_FOUND docs/y: it has disappeared meanwhile",
      expect.stringMatching(/^left BAD_PATH docs\/z\n: /),
    ]);
  });

  test("beyond the names is reported as a number", async () => {
    const leftOut = [named("docs/x", "UNREADABLE"), named("docs/z\n", "BAD_PATH")];
    const told = await planned(["docs"], {}, leaving({ skipped: 7, unreadable: 3, leftOut }));
    expect(told.slice(3)).toEqual([
      expect.stringMatching(/^UNREADABLE docs: The server leaves out 2 entries in "docs"/),
      "left BAD_PATH docs: no names that can be paths 3",
    ]);
  });

  test("without a word of why counts as what it may not read", async () => {
    const told = await planned([""], {}, leaving({ skipped: 2 }));
    expect(told).toEqual([expect.stringMatching(/^UNREADABLE : The server leaves out 2 entries in the repository/)]);
  });

  test("was matched by a pattern: that is not nothing", async () => {
    expect(await planned(["do*"], {}, leaving({ skipped: 1, unreadable: 0 }))).toEqual([
      "left BAD_PATH do*: no names that can be paths 1",
    ]);
  });

  test("is neither file nor folder: it is reported, and moves nothing", async () => {
    const odd = (["link", "other"] as const).map((kind) => ({ path: `docs/${kind}`, kind, size: 0, modifiedAt: 0 }));
    expect(await planned(["docs"], {}, leaving({ skipped: 0 }, odd))).toEqual([
      "docs/",
      "left NOT_ALLOWED docs/link: a link, and not to a file in the repository",
      "left NOT_A_FILE docs/other: neither a file nor a folder",
    ]);
    const named = facade(client, { stat: async () => ({ ...odd[1], executable: false, etag: "" }) as never });
    expect(await planned(["docs/other"], {}, named)).toEqual([expect.stringMatching(/^NOT_A_FILE docs\/other: /)]);
  });
});

test("an error that is not about the source ends the plan", async () => {
  const lost = facade(client, {
    stat: async () => {
      throw new RemoteError("CROWDED", "no room");
    },
  });
  expect(await faultOf(() => planned(["docs", "top"], {}, lost))).toMatchObject({ code: "CROWDED" });
});

test("a list may have as many entries as are accepted, and not one more", async () => {
  const entriesOf = async (maxEntries: number) => {
    let entries = 0;
    for await (const batch of client.listBatches(undefined, undefined, { maxEntries })) entries += batch.length;
    return entries;
  };
  // Four files, and the folders docs, docs/deep and docs/empty.
  expect(await entriesOf(7)).toBe(7);
  expect(await faultOf(() => entriesOf(6))).toMatchObject({ code: "TOO_MANY_ENTRIES" });
});

describe("a filter", () => {
  const filtered = (source: string, rules: Partial<FilterRules>) => planned([source], {}, client, rules);

  test("has paths below the folder that is fetched", async () => {
    expect(await filtered("docs", { exclude: ["/a.txt", "deep/"] })).toEqual(["docs/", "docs/c.md", "docs/empty/"]);
    expect(await filtered("docs", { exclude: ["docs/a.txt"] })).toContain("docs/a.txt");
    expect(await filtered("", { exclude: ["docs/a.txt", "top"] })).toEqual([
      "docs/",
      "docs/c.md",
      "docs/deep/",
      "docs/deep/b.txt",
      "docs/empty/",
    ]);
  });

  test("has paths below the folder that a pattern begins in", async () => {
    expect(await filtered("docs/**/*.txt", { exclude: ["/a.txt"] })).toEqual(["deep/", "deep/b.txt"]);
    expect(await filtered("docs/**", { exclude: ["deep"] })).toEqual(["a.txt", "c.md", "empty/"]);
  });

  test("applies to what is named, by its name", async () => {
    expect(await filtered("docs/a.txt", { exclude: ["*.txt"] })).toEqual([]);
    expect(await filtered("docs/a.txt", { exclude: ["/docs"] })).toEqual(["a.txt"]);
    expect(await filtered("docs", { exclude: ["docs"] })).toEqual([]);
    expect(await filtered("top", { maxBytes: 2 })).toEqual([]);
  });

  test("that chooses files takes folders only with files in them", async () => {
    expect(await filtered("docs", { include: ["b.txt"] })).toEqual(["docs/", "docs/deep/", "docs/deep/b.txt"]);
    expect(await filtered("docs", { changedSince: 8 })).toEqual(["docs/"]);
  });

  test("leaves a pattern matched whose matches it leaves out all", async () => {
    expect(await filtered("docs/*.txt", { exclude: ["*.txt"] })).toEqual([]);
    expect(await filtered("docs/*.none", { exclude: ["*.txt"] })).toEqual([
      'NOT_FOUND docs/*.none: Nothing matches "docs/*.none".',
    ]);
  });

  test("leaves out what could not be read, too", async () => {
    const told: ListTrailer = {
      entries: 0,
      skipped: 2,
      unreadable: 1,
      leftOut: [
        { name: "docs/secret", code: ERRORS.UNREADABLE.wire },
        { name: "docs/gone", code: ERRORS.NOT_FOUND.wire },
      ],
    };
    async function* listBatches(): AsyncGenerator<Entry[], ListTrailer> {
      yield [];
      return told;
    }
    const from = facade(client, { listBatches });
    expect(await planned(["docs"], {}, from, { exclude: ["secret/", "gone"] })).toEqual(["docs/"]);
    expect(await planned(["docs"], {}, from, { exclude: ["other"] })).toHaveLength(3);
  });
});
