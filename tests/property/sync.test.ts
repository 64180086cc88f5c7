/** Mirrors of random trees, against a naive model. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Filter } from "../../lib/client/filter.ts";
import { parentOf } from "../../lib/path.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import { connectionOf, mirror } from "../support/mirror.ts";
import { readWhole, walk } from "../support/repository.ts";
import { TestServer } from "../support/test-server.ts";

/** Paths with `content@time`, and folders with "". */
type Tree = Readonly<Record<string, string>>;

const name = fc.constantFrom("a", "b", "B", "c.tmp", "d.txt", "é", "keep");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const file = fc.tuple(fc.constantFrom("", "1", "2", "333"), fc.constantFrom(1_000, 2_000, 700_000));
/** Nothing is below a file. */
const tree: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(path, fc.option(file, { freq: 4 })), { maxLength: 12 })
  .map((entries) => {
    const made: Record<string, string> = {};
    for (const [at, facts] of entries) {
      const isFree = made[at] === undefined && !Object.keys(made).some((each) => each.startsWith(`${at}/`));
      const above = foldersAbove(at);
      if (!isFree || above.some((each) => made[each] !== undefined && made[each] !== "")) continue;
      for (const each of above) made[each] = "";
      made[at] = facts === null ? "" : `${facts[0]}@${facts[1]}`;
    }
    return made;
  });

const rules = fc.record({
  exclude: fc.subarray(["*.tmp", "keep/", "/a/b", "d.txt"]),
  include: fc.subarray(["c.tmp", "*.txt"], { maxLength: 1 }),
  maxBytes: fc.constantFrom(undefined, 2),
  changedSince: fc.constantFrom(undefined, 1_500),
});

function foldersAbove(at: string): string[] {
  const above: string[] = [];
  for (let folder = parentOf(at); folder !== ""; folder = parentOf(folder)) above.unshift(folder);
  return above;
}

async function fill(storage: MemoryStorage, made: Tree): Promise<void> {
  for (const [at, content] of Object.entries(made)) {
    if (content === "") await storage.makeFolder(at);
    else storage.set(at, Buffer.from(content.split("@")[0] ?? ""), Number(content.split("@")[1]));
  }
}

async function read(storage: MemoryStorage): Promise<Tree> {
  const made: Record<string, string> = {};
  for (const { path: at, kind, modifiedAt } of (await walk(storage)).entries) {
    made[at] = kind === "folder" ? "" : `${await readWhole(storage, at)}@${modifiedAt}`;
  }
  return made;
}

const factsOf = (at: string, content: string) => {
  const [bytes = "", time] = content.split("@");
  return { path: at, kind: content === "" ? "folder" : "file", size: bytes.length, modifiedAt: Number(time ?? 0) };
};

/** The target after a mirror with deletions: what the filter takes of the source, and what is none of the mirror's. */
function expected(source: Tree, target: Tree, filter: Filter | undefined, comparesContent: boolean): Tree {
  const all: Record<string, string> = {};
  const put = (at: string, content: string) => {
    for (const above of foldersAbove(at)) all[above] ??= "";
    all[at] ??= content;
  };
  const isSame = (one: string, other: string) => {
    const [[bytes = "", time], [otherBytes = "", otherTime]] = [one.split("@"), other.split("@")];
    return comparesContent ? bytes === otherBytes : bytes.length === otherBytes.length && time === otherTime;
  };
  const takes = (at: string, content: string) => filter === undefined || filter.takes(factsOf(at, content));
  for (const [at, content] of Object.entries(source)) {
    const isTaken = content === "" ? filter?.takesEmptyFolders !== false && takes(at, content) : takes(at, content);
    const there = target[at] ?? "";
    if (isTaken) put(at, content !== "" && there !== "" && isSame(content, there) ? there : content);
  }
  for (const [at, content] of Object.entries(target)) {
    const isKept = filter?.excludes(at) || (content !== "" && !takes(at, content)) || source[at] !== undefined;
    if (isKept && !(at in all && content !== "")) put(at, content);
  }
  return all;
}

test("a mirror makes the target what the source is, as its dry run says, and has nothing to do a second time", async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      tree,
      fc.option(rules),
      fc.boolean(),
      fc.boolean(),
      async (source, target, filtered, isSending, comparesContent) => {
        await using server = new TestServer();
        const here = new MemoryStorage();
        await fill(isSending ? here : server.storage, source);
        await fill(isSending ? server.storage : here, target);
        const newFilter = () => (filtered === null ? undefined : new Filter({ lines: [], ...filtered }));
        const connection = await connectionOf(() => server.client());
        const run = (isDry: boolean) =>
          mirror(connection, here, {
            isSending,
            isDry,
            allowsEmpty: true,
            rules: { filter: newFilter(), comparesContent },
          });
        const readTarget = () => read(isSending ? server.storage : here);

        const dry = await run(true);
        expect(await readTarget()).toEqual(await sorted(target));
        const wet = await run(false);
        expect({ ...wet, result: undefined }).toEqual({ ...dry, result: undefined });
        expect(wet.result).toMatchObject({
          new: dry.result.new,
          updated: dry.result.updated,
          removed: dry.result.removed,
        });
        expect(await read(isSending ? here : server.storage)).toEqual(await sorted(source));
        if (wet.result.failed > 0) {
          expect(wet.result.removed).toBe(0);
        } else {
          expect(await readTarget()).toEqual(await sorted(expected(source, target, newFilter(), comparesContent)));
          expect((await run(false)).done).toEqual([]);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** As a tree in memory, which has its own order. */
async function sorted(made: Tree): Promise<Tree> {
  const storage = new MemoryStorage();
  await fill(storage, made);
  return read(storage);
}
