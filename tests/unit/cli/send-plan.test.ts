import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { DiskSources } from "../../../lib/cli/client/local-sources.ts";
import { Filter, type FilterRules } from "../../../lib/client/filter.ts";
import { planSend } from "../../../lib/client/send-plan.ts";
import { PrivatePlaces } from "../../../lib/storage/local/private/private-places.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
  writeTree(folder.path, { "in/a.txt": "a", "in/deep/b.txt": "b", "in/c.md": "c", "in/photo [1].jpg": "1" });
});

afterEach(() => folder[Symbol.dispose]());

/** What is sent for a source, and the code of what is not. */
async function planned(source: string, rules?: Partial<FilterRules>): Promise<string[]> {
  const told: string[] = [];
  const plan = planSend({
    sources: [source],
    to: "",
    here: new DiskSources(new PrivatePlaces()),
    filter: rules && new Filter({ lines: [], exclude: [], include: [], ...rules }),
    onPlanned: ({ to }) => told.push(to),
    onFailed: (_, { code }) => told.push(code),
    onLeftOut: ({ path, code }) => told.push(`${path}: ${code}`),
  });
  for await (const _ of plan);
  return told.sort();
}

describe("a pattern over files of this machine", () => {
  const inside = (pattern: string) => `${folder.path}/in/${pattern}`;

  test("may begin anywhere: at the root, above this folder, in this folder", async () => {
    expect(await planned(inside("*.txt"))).toEqual(["a.txt"]);
    // A folder on the way comes first, for its rights.
    expect(await planned(inside("**/*.txt"))).toEqual(["a.txt", "deep", "deep/b.txt"]);
    expect(await planned(`${folder.path}/in/../in/{a,c}.*`)).toEqual(["a.txt", "c.md"]);
    expect(await planned(`${folder.path}/{in,none}/deep/*`)).toEqual(["in", "in/deep", "in/deep/b.txt"]);
    expect(await planned("./tests/unit/cli/send-*.test.ts")).toEqual(["send-plan.test.ts"]);
  });

  test("is a name first: a file may have such a one", async () => {
    expect(await planned(inside("photo [1].jpg"))).toEqual(["photo [1].jpg"]);
    expect(await planned(inside("photo [[]1[]].jpg"))).toEqual(["photo [1].jpg"]);
  });

  test("that is malformed, or matches nothing, is reported", async () => {
    expect(await planned(inside("photo [1.jpg"))).toEqual(["BAD_PARAMS"]);
    expect(await planned(inside("*/"))).toEqual(["BAD_PATH"]);
    expect(await planned(inside("*.none"))).toEqual(["NO_SUCH_FILE"]);
  });
});

describe("a filter", () => {
  const place = () => `${folder.path}/in`;

  test("has paths below the folder that is sent, and does not look into folders that it leaves out", async () => {
    expect(await planned(place(), { exclude: ["/a.txt", "deep"] })).toEqual(["in", "in/c.md", "in/photo [1].jpg"]);
    expect(await planned(place(), { exclude: ["in/a.txt"] })).toContain("in/a.txt");
    chmodSync(join(place(), "deep"), 0o000);
    expect((await planned(place(), { exclude: ["deep/"] })).filter((told) => told.includes("DENIED"))).toEqual([]);
    chmodSync(join(place(), "deep"), 0o700);
  });

  test("applies to what is named, by its name", async () => {
    expect(await planned(`${place()}/a.txt`, { exclude: ["*.txt"] })).toEqual([]);
    expect(await planned(place(), { exclude: ["/in"] })).toEqual([]);
    expect(await planned(`${place()}/deep/..`, { exclude: ["/in", "*.jpg"] })).toEqual([
      "a.txt",
      "c.md",
      "deep",
      "deep/b.txt",
    ]);
    expect(await planned(`${place()}/a.txt`, { maxBytes: 0 })).toEqual([]);
  });

  test("that chooses files takes folders only with files in them", async () => {
    expect(await planned(place(), { include: ["b.txt"] })).toEqual(["in", "in/deep", "in/deep/b.txt"]);
    expect(await planned(place(), { include: ["c.md"] })).toEqual(["in", "in/c.md"]);
    expect(await planned(place(), { changedSince: Date.now() + 1_000_000 })).toEqual(["in"]);
  });

  test("leaves a pattern matched whose matches it leaves out all", async () => {
    expect(await planned(`${place()}/*.txt`, { exclude: ["*.txt"] })).toEqual([]);
    expect(await planned(`${place()}/*.none`, { exclude: ["*.txt"] })).toEqual(["NO_SUCH_FILE"]);
  });
});
