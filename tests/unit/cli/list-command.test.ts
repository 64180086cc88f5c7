import { describe, expect, test } from "bun:test";
import { askedBy, formatEntry, printEntries } from "../../../lib/cli/client/list-command.ts";
import { type ListShape, patternTo, readShape, SHAPE_FLAGS } from "../../../lib/cli/client/list-shape.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import type { Client } from "../../../lib/client/client.ts";
import { ERRORS, RemoteError } from "../../../lib/errors.ts";
import type { Entry, ListTrailer } from "../../../lib/protocol/methods.ts";
import { selectGlob } from "../../../lib/selection.ts";
import { facade } from "../../support/facade.ts";
import { TestIo } from "../../support/test-io.ts";

const NEVER = new AbortController().signal;
const entry = (path: string): Entry => ({ path, kind: "file", size: 3, modifiedAt: 0 });

/** A client whose repository lists this, and has these names. */
function clientOf(
  entries: readonly Entry[],
  trailer: Partial<ListTrailer> = {},
  names: readonly string[] = [],
): Client {
  return facade({} as Client, {
    list: async function* () {
      yield* entries;
      return { entries: entries.length, skipped: 0, ...trailer };
    } as unknown as Client["list"],
    stat: (async (path: string) => {
      if (!names.includes(path)) throw new RemoteError("NOT_FOUND", "No.");
      return entry(path);
    }) as unknown as Client["stat"],
  });
}

async function listed(client: Client, source?: string): Promise<TestIo> {
  const io = new TestIo();
  await printEntries(client, { source, signal: NEVER }, { out: (text) => io.out(text), note: (line) => io.note(line) });
  return io;
}

describe("a list", () => {
  test("shows its first entry at once, and the others in large pieces", async () => {
    const entries = Array.from({ length: 2_000 }, (_, index) => entry(`file-${index}`));
    const { written, notes } = await listed(clientOf(entries));
    const lines = written.map((text) => text.trimEnd().split("\n").length);
    expect(lines[0]).toBe(1);
    expect(written.length).toBeLessThan(6);
    for (const text of written.slice(1, -1)) expect(text.length).toBeGreaterThanOrEqual(32 * 1024);
    expect(written.join("").trimEnd().split("\n")).toHaveLength(2_000);
    expect(notes).toEqual([]);
  });

  test.each([
    [undefined, "The repository is empty."],
    [".", "The repository is empty."],
    ["docs", 'There is nothing in "docs".'],
    ["docs/", 'There is nothing in "docs".'],
    ["*.txt", 'Nothing matches "*.txt".'],
    // A folder with that name.
    ["[draft]", 'There is nothing in "[draft]".'],
  ])("of %p that is empty says so", async (source, note) => {
    const { written, notes } = await listed(clientOf([], {}, ["[draft]"]), source);
    expect({ written, notes }).toEqual({ written: [], notes: [note] });
  });

  test.each([
    [1, "1 entry left out: unreadable, or with a name that can't be served."],
    [2, "2 entries left out: unreadable, or with a name that can't be served."],
  ])("that leaves out %i entries without a name counts them, and is not called empty", async (skipped, note) => {
    expect((await listed(clientOf([], { skipped }))).notes).toEqual([note]);
  });

  test("names what the server has named, and counts only the rest", async () => {
    const told = { name: "secret", code: ERRORS.UNREADABLE.wire };
    const one = await listed(clientOf([entry("a")], { skipped: 1, leftOut: [told] }));
    expect(one.notes).toEqual(['Left out "secret": the server has no permission to read it']);
    const two = await listed(clientOf([entry("a")], { skipped: 2, leftOut: [told] }));
    expect(two.notes.slice(1)).toEqual(["1 entry left out: unreadable, or with a name that can't be served."]);
  });

  test("is of all for nothing, a dot and a slash, else of the name or the pattern", async () => {
    const asked = (source?: string) => askedBy(clientOf([], {}, ["[draft]"]), source);
    expect(await Promise.all([undefined, ".", "/", "./"].map(asked))).toEqual(Array(4).fill(undefined));
    expect(await Promise.all(["./docs/", "*.txt", "[draft]"].map(asked))).toEqual([
      "docs",
      "*.txt",
      { path: "[draft]" },
    ]);
  });
});

test("an entry shows what it is: a folder's slash, a link, something odd; only files have a size", () => {
  const line = (kind: Entry["kind"]) => formatEntry({ path: "a", kind, size: 1_500, modifiedAt: 0 });
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  const cells = (["file", "folder", "link", "other"] as const).map((kind) => line(kind).split(/\s{2,}/));
  expect(cells).toEqual([
    ["", "1.5 KB", time, "a"],
    ["", "-", time, "a/"],
    ["", "-", time, "a@"],
    ["", "-", time, "a?"],
  ]);
  expect(new Set(["file", "folder"].map((kind) => line(kind as Entry["kind"]).indexOf(" a"))).size).toBe(1);
});

describe("list with --depth, --sort and --long", () => {
  const facts = (path: string, kind: Entry["kind"], size: number, modifiedAt: number): Entry => ({
    ...{ path, kind, size, modifiedAt },
  });
  const entries = [
    facts("docs", "folder", 0, 5),
    facts("docs/b", "file", 1_500, 1),
    facts("docs/in/c", "file", 7, 9),
    facts("a", "file", 7, 3),
  ];

  async function shown(shape: ListShape, source?: string): Promise<TestIo> {
    const io = new TestIo();
    await printEntries(clientOf(entries, {}, ["docs"]), { source, shape, signal: NEVER }, io);
    return io;
  }
  const paths = ({ written }: TestIo) => [...written.join("").matchAll(/ (\S+)\n/g)].map(([, path]) => path);
  const shapeOf = (...argv: string[]) => readShape(parseFlags(argv, SHAPE_FLAGS));

  test("shows no deeper levels than asked for, below the folder", async () => {
    expect(paths(await shown(shapeOf("--depth", "1")))).toEqual(["docs/", "a"]);
    expect(paths(await shown(shapeOf("--depth", "2")))).toEqual(["docs/", "docs/b", "a"]);
    expect(paths(await shown(shapeOf("--depth", "2"), "docs/*"))).toContain("docs/in/c");
  });

  test("sorts the largest or the newest first, or by name", async () => {
    expect(paths(await shown(shapeOf("--sort", "size")))).toEqual(["docs/b", "a", "docs/in/c", "docs/"]);
    expect(paths(await shown(shapeOf("--sort", "time")))).toEqual(["docs/in/c", "docs/", "a", "docs/b"]);
    expect(paths(await shown(shapeOf("--sort", "name")))).toEqual(["a", "docs/", "docs/b", "docs/in/c"]);
    expect(() => shapeOf("--sort", "age")).toThrow("--sort takes name, size or time");
    expect(() => shapeOf("--depth", "0")).toThrow("--depth takes a whole number");
  });

  test("adds up what is shown, with exact sizes", async () => {
    const { written, notes } = await shown(shapeOf("--long", "--depth", "2"));
    expect(written.join("")).toMatch(/^ +- .* docs\/\n +1500 .* docs\/b\n +7 .* a\n$/);
    expect(notes).toEqual(["2 files, 1 folder, 1.5 KB"]);
  });

  test("asks the server for no more levels than it shows, as long as a pattern can say so", () => {
    expect(patternTo("", 1)).toBe("*");
    expect(patternTo("a [1]", 2)).toBe("a [[]1[]]/{*,*/*}");
    expect(patternTo("docs", 128)).toBeUndefined();
    for (const depth of [1, 2, 7]) {
      const { matches } = selectGlob(patternTo("docs", depth) as string);
      const path = (levels: number) => `docs/${Array(levels).fill("x").join("/")}`;
      expect([matches(path(1)), matches(path(depth)), matches(path(depth + 1))]).toEqual([true, true, false]);
    }
  });
});
