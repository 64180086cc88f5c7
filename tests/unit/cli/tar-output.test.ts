/** What TarOutput writes, read by the tars that people have. */
import { describe, expect, test } from "bun:test";
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { TarOutput } from "../../../lib/cli/client/tar-output.ts";
import { tarHead } from "../../../lib/tar.ts";
import { codeOf } from "../../support/fault.ts";
import { missingTar, runTar, TARS } from "../../support/tars.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const AT = 1_700_000_000_123;
const factsOf = (size: number, executable = false) => ({ size, modifiedAt: AT, executable, etag: "e" });
const bytesOf = (size: number) => new Uint8Array(size).fill(120);

/** A folder in a folder, with one path of each kind that a tar writes in its own way. */
const FILES: readonly (readonly [path: string, size: number])[] = [
  ["d/plain", 5],
  ["d/empty", 0],
  ["d/block", 512],
  ["d/more", 1_500],
  ["d/schön", 1],
  [`d/${"ü".repeat(100)}`, 7],
  [`${"p".repeat(120)}/${"n".repeat(90)}`, 3],
  [`${"p".repeat(120)}/${"e".repeat(180)}`, 3],
  ["last", 0],
];

async function written(until: (tar: TarOutput) => Promise<void> = (tar) => tar.end()) {
  const pieces: Uint8Array[] = [];
  const tar = new TarOutput({ out: async (bytes) => void pieces.push(new Uint8Array(bytes)) }, () => AT);
  await tar.addFolder("d", 0o750);
  for (const [path, size] of FILES) {
    if (size <= 512) await tar.add(path, factsOf(size, path === "d/plain"), 0, bytesOf(size));
    // In two pieces, as large files come.
    else for (const at of [0, 512]) await tar.add(path, factsOf(size), at, bytesOf(at === 0 ? 512 : size - 512));
  }
  await until(tar);
  return pieces;
}

describe.each(TARS)("$name", (program) => {
  test.skipIf(missingTar(program))("reads every path, size, time and the right to execute", async () => {
    using folder = new TempFolder();
    const { exitCode, stderr } = runTar(program, ["-xf", "-"], folder.path, Buffer.concat(await written()));
    expect([exitCode, stderr]).toEqual([0, ""]);
    const found = readdirSync(folder.path, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder.path.length + 1));
    expect(found.sort()).toEqual(FILES.map(([path]) => path).sort());
    // BusyBox takes whole seconds only.
    const time = program.name === "BusyBox" ? Math.floor(AT / 1000) * 1000 : AT;
    for (const [path, size] of FILES) {
      const { size: found, mtimeMs, mode } = statSync(folder.join(path));
      expect([path, found, Math.round(mtimeMs), mode & 0o111]).toEqual([
        ...[path, size, time, path === "d/plain" ? 0o111 : 0],
      ]);
    }
    const { mtimeMs, mode } = statSync(folder.join("d"));
    expect(mode & 0o777).toBe(0o750);
    // BusyBox gives no times to folders.
    if (program.name !== "BusyBox") expect(Math.round(mtimeMs)).toBe(AT);
  });

  test.skipIf(missingTar(program))("reports a tar that ends too early, wherever that is", async () => {
    const pieces = await written(async () => {});
    for (let count = 1; count <= pieces.length; count++) {
      using folder = new TempFolder();
      const { exitCode } = runTar(program, ["-xf", "-"], folder.path, Buffer.concat(pieces.slice(0, count)));
      expect([count, exitCode === 0]).toEqual([count, false]);
    }
  });

  test.skipIf(missingTar(program))("finds what follows a file that is larger than a ustar head can say", () => {
    using folder = new TempFolder();
    const size = 9 * 1024 ** 3;
    const head = tarHead("big", { ...factsOf(size), kind: "file" });
    const place = folder.join("big.tar");
    writeFileSync(place, head);
    truncateSync(place, head.length + size);
    writeFileSync(place, Buffer.concat([tarHead("after", { ...factsOf(0), kind: "file" }), new Uint8Array(1024)]), {
      flag: "a",
    });
    const { exitCode, stdout } = runTar(program, ["-tf", "big.tar"], folder.path);
    expect([exitCode, stdout.toString()]).toEqual([0, "big\nafter\n"]);
  });

  test.skipIf(missingTar(program))("reports what ends before its first member", async () => {
    using folder = new TempFolder();
    const pieces: Uint8Array[] = [];
    await new TarOutput({ out: async (bytes) => void pieces.push(bytes) }, () => AT).cut();
    expect(runTar(program, ["-xf", "-"], folder.path, Buffer.concat(pieces)).exitCode).not.toBe(0);
  });
});

test("a tar takes no file within another", async () => {
  const tar = new TarOutput({ out: async () => {} }, () => AT);
  await tar.add("a", factsOf(2_000), 0, bytesOf(1_024));
  expect(tar.isWithinFile).toBe(true);
  expect(await codeOf(() => tar.add("b", factsOf(1), 0, bytesOf(1)))).toBe("INCOMPLETE");
  await tar.add("a", factsOf(2_000), 1_024, bytesOf(976));
  expect(tar.isWithinFile).toBe(false);
});
