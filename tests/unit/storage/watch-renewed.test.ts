/** A watch whose tree was lost while nobody listened, or could not be learnt anew: whoever comes next is told all. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { Folders } from "../../../lib/storage/local/folders.ts";
import { lookIn } from "../../../lib/storage/local/local-list.ts";
import { DEAF } from "../../../lib/storage/local/watch/best-source.ts";
import { FolderWatch } from "../../../lib/storage/local/watch/folder-watch.ts";
import { LookingSource } from "../../../lib/storage/local/watch/looking-source.ts";
import type { TreeSink } from "../../../lib/storage/local/watch/tree-source.ts";
import { lineOf } from "../../support/changes.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let folder: TempFolder;
let watch: FolderWatch;
/** Of each source that was opened, in order. */
let sinks: TreeSink[];
let closed: number;
/** Sources that fail when they are asked to watch. */
let failing: number;
/** Folders on disks to which others write without a report: the next so many that are watched. */
let deaf: number;
let notices: string[];

const inside = (path = "") => folder.join("repository", path);

beforeEach(() => {
  folder = new TempFolder();
  writeTree(inside(), { old: "x" });
  [sinks, closed, failing, deaf, notices] = [[], 0, 0, 0, []];
  const folders = new Folders(inside(), { owner: "server" });
  watch = new FolderWatch({
    folders,
    look: (opened, path) => lookIn(folders, opened, path),
    onNotice: (message) => notices.push(message),
    openSource(_, sink, onDeaf) {
      sinks.push(sink);
      const source = new LookingSource(sink, folders, 20);
      const isFailing = failing > 0;
      if (isFailing) failing--;
      const { watch, close } = source;
      source.watch = async (one, place) => {
        if (isFailing) throw new Error("EIO");
        if (deaf > 0) onDeaf();
        if (deaf > 0) deaf--;
        return watch.call(source, one, place);
      };
      source.close = () => {
        closed++;
        close.call(source);
      };
      return { source, lateness: undefined };
    },
  });
});

afterEach(() => folder[Symbol.dispose]());

/** Somebody who listens, and what was told. */
async function listener(): Promise<{ lines: string[]; stop: () => void }> {
  const lines: string[] = [];
  const stop = await watch.subscribe((changes) => lines.push(...changes.map(lineOf)));
  return { lines, stop };
}

describe("a watch", () => {
  test("that was lost while nobody listened is renewed for a listener that comes before it is forgotten", async () => {
    const first = await listener();
    first.stop();
    sinks[0]?.lost();
    await until(() => closed === 1);
    const second = await listener();
    writeFileSync(inside("new"), "x");
    // When it comes in the middle of the renewal, what it missed is counted.
    await until(() => second.lines.some((line) => line === "added new" || line.startsWith("missed")));
    second.stop();
  });

  test("that could not be read again is reported to all when it can be read for a new listener", async () => {
    const first = await listener();
    failing = 1;
    sinks[0]?.lost();
    await until(() => first.lines.some((line) => line.startsWith("missed")));
    const told = first.lines.length;
    const second = await listener();
    await until(() => first.lines.slice(told).some((line) => line.startsWith("missed")));
    // And it is made anew when it is lost again: the attempt that was to be made is no more in the way.
    sinks.at(-1)?.lost();
    await until(() => sinks.length === 4);
    writeFileSync(inside("new"), "x");
    await until(() => [first, second].every(({ lines }) => lines.includes("added new")));
    for (const { stop } of [first, second]) stop();
  });

  test("that can't be learnt for who comes is tried again for those who wait", async () => {
    const first = await listener();
    failing = 2;
    sinks[0]?.lost();
    await until(() => first.lines.length > 0);
    expect(await listener().catch((error) => error.message)).toBe("EIO");
    const third = await listener();
    writeFileSync(inside("new"), "x");
    await until(() => [first, third].every(({ lines }) => lines.includes("added new")));
    for (const { stop } of [first, third]) stop();
  });

  test.each([1, 2])(
    "that can't hear of %i of its folders says so to all who listen, once to the operator",
    async (count) => {
      mkdirSync(inside("tree"));
      deaf = count;
      const first = await listener();
      expect(first.lines).toEqual([`missed 0: ${DEAF.message}`]);
      const second = await listener();
      expect(second.lines).toEqual(first.lines);
      // Made anew, it still can't: the operator knows.
      deaf = count;
      sinks[0]?.lost();
      await until(() => first.lines.length > 1);
      expect(notices).toEqual([DEAF.advice]);
      for (const { stop } of [first, second]) stop();
    },
  );

  test("that can't hear of a disk which came later says so then", async () => {
    const first = await listener();
    expect([first.lines, notices]).toEqual([[], []]);
    deaf = 1;
    sinks[0]?.lost();
    await until(() => first.lines.includes(`missed 0: ${DEAF.message}`));
    expect(notices).toEqual([DEAF.advice]);
    first.stop();
  });

  test("that could not be learnt at first has missed nothing of that when it is lost later", async () => {
    failing = 1;
    expect(await listener().catch((error) => error.message)).toBe("EIO");
    const first = await listener();
    sinks.at(-1)?.lost();
    await until(() => first.lines.length > 0);
    expect(first.lines).toEqual(["missed 1"]);
    first.stop();
  });
});
