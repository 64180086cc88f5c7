import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readFolder } from "../../../lib/storage/local/folder-reader.ts";
import { LocalStorage } from "../../../lib/storage/local/local.ts";
import { openBelow } from "../../support/open-files.ts";
import { walk } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const COUNT = 30_000;
const nameOf = (index: number) => `file-${String(index).padStart(6, "0")}`;
const EXPECTED = Array.from({ length: COUNT }, (_, index) => `many/${nameOf(index)}`);

let folder: TempFolder;
let storage: LocalStorage;

beforeAll(async () => {
  folder = new TempFolder();
  fill(folder.join("repository/many"), COUNT);
  storage = await LocalStorage.at(folder.join("repository"));
});

afterAll(() => folder[Symbol.dispose]());

/** Hard links to one file: they are made ten times as fast as files. */
function fill(path: string, count: number): void {
  mkdirSync(path, { recursive: true });
  const first = `${path}/${nameOf(0)}`;
  writeFileSync(first, "");
  for (let index = 1; index < count; index++) linkSync(first, `${path}/${nameOf(index)}`);
}

describe(`a folder of ${COUNT} files`, () => {
  test("is listed completely, each name once", async () => {
    const { paths, skipped, entries } = await walk(storage);
    expect(paths[0]).toBe("many");
    expect(paths.slice(1).sort()).toEqual(EXPECTED);
    expect(entries.slice(1).every(({ kind }) => kind === "file")).toBe(true);
    expect(skipped).toBe(0);
  });

  test("comes in batches, so that the first can go out before the last is looked at", async () => {
    const options = { enter: () => true, skipped: { count: 0 } };
    for await (const batch of storage.list("many", options)) expect(batch.length).toBeLessThanOrEqual(1_000);
  });

  test("is read in parts by readFolder()", () => {
    const parts = [...readFolder(folder.join("repository/many"))];
    expect(
      parts
        .flat()
        .map((name) => `many/${name}`)
        .sort(),
    ).toEqual(EXPECTED);
    if (process.platform === "linux") expect(parts.length).toBeGreaterThan(1);
  });

  test.if(process.platform === "linux")("is closed again, if not at once, when a list is left early", async () => {
    const options = { enter: () => true, skipped: { count: 0 } };
    for await (const [entry] of storage.list("many", options)) {
      if (entry !== undefined) break;
    }
    await until(() => openBelow(folder.path) === 0);
  });

  test("that is deleted while it is listed is counted, as any folder that can't be read", async () => {
    const doomed = folder.join("repository/doomed");
    fill(doomed, 12_000);
    const options = { enter: () => true, skipped: { count: 0 } };
    let told = 0;
    for await (const batch of storage.list("doomed", options)) {
      if (told === 0) rmSync(doomed, { recursive: true });
      told += batch.length;
    }
    expect(told + options.skipped.count).toBeGreaterThan(told);
  });
});
