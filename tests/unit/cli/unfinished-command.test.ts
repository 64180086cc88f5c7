import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { unfinished } from "../../../lib/cli/client/unfinished-command.ts";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestIo } from "../../support/test-io.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = new TempFolder();
});

afterEach(() => {
  setSystemTime();
  folder[Symbol.dispose]();
});

/** Make what an interrupted transfer leaves: files of these names. */
function leave(...names: string[]): void {
  for (const name of names) writeFileSync(folder.join(name), "x".repeat(name.includes("part") ? 1_500 : 7_000));
}

async function run(...argv: string[]) {
  const io = new TestIo();
  const exit = await unfinished.run(parseFlags(argv, unfinished.args), io);
  return { exit, out: io.written.join(""), notes: io.notes };
}

const PART = "a.txt.0123abcd.commserver-part";
const JOURNAL = "a.txt.0123abcd.commserver-journal";

describe("unfinished", () => {
  test("says when there is nothing", async () => {
    writeFileSync(folder.join("a.txt"), "");
    expect(await run(folder.path)).toEqual({ exit: 0, out: "", notes: ["Nothing is unfinished."] });
    expect(await run(folder.path, "--json")).toEqual({ exit: 0, out: "[]\n", notes: [] });
  });

  test("lists each unfinished file once, by its final name, with the size of its part and its last change", async () => {
    leave(PART, JOURNAL);
    mkdirSync(folder.join("sub"));
    leave("sub/b.commserver-part");
    const { out, notes } = await run(`${folder.path}//`);
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s{2,}/));
    expect(rows.map(([size, , path]) => [size, path])).toEqual([
      ["SIZE", "OF"],
      ["1.5 KB", `${folder.path}/a.txt`],
      ["1.5 KB", `${folder.path}/sub/b`],
    ]);
    expect(notes).toEqual([]);
    const [first] = JSON.parse((await run(folder.path, "--json")).out);
    const modifiedAt = Math.floor(Math.max(...[PART, JOURNAL].map((name) => statSync(folder.join(name)).ctimeMs)));
    expect(first).toEqual({ path: `${folder.path}/a.txt`, size: 1_500, modifiedAt });
  });

  test("removes nothing without --remove, and with it all that belongs to a file", async () => {
    leave(PART, JOURNAL);
    writeFileSync(folder.join("a.txt"), "");
    await run(folder.path);
    expect(readdirSync(folder.path)).toHaveLength(3);
    const { exit, out, notes } = await run(folder.path, "--remove");
    expect({ exit, notes }).toEqual({ exit: 0, notes: [] });
    expect(out).toBe(`Removed unfinished ${folder.path}/a.txt (1.5 KB)\n`);
    expect(readdirSync(folder.path)).toEqual(["a.txt"]);
  });

  test("leaves a part alone that was written a moment ago and has no lock: a program may still write it", async () => {
    leave(PART);
    const [{ modifiedAt }] = JSON.parse((await run(folder.path, "--json")).out);
    setSystemTime(modifiedAt + 59_999);
    const { out, notes } = await run(folder.path, "--remove");
    expect([out, notes]).toEqual(["", ["1 file left alone: being written now, or a moment ago."]]);
    const [left] = JSON.parse((await run(folder.path, "--remove", "--json")).out);
    expect(left).toEqual({ path: `${folder.path}/a.txt`, size: 1_500, modifiedAt, removed: false });
    expect(existsSync(folder.join(PART))).toBe(true);
    setSystemTime(modifiedAt + 60_000);
    const [gone] = JSON.parse((await run(folder.path, "--remove", "--json")).out);
    expect(gone).toMatchObject({ removed: true });
    expect(existsSync(folder.join(PART))).toBe(false);
  });
});
