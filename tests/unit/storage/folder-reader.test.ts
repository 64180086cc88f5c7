import { describe, expect, test } from "bun:test";
import { mkdirSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { libc } from "../../../lib/platform/libc.ts";
import { readEntries, readFolder } from "../../../lib/storage/local/folder-reader.ts";
import { openBelow } from "../../support/open-files.ts";
import { writeTree } from "../../support/repository.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { withUntypedNames } from "../../support/untyped-names.ts";

const names = (path: string) => [...readFolder(path)].flat().sort();

describe("readFolder()", () => {
  test("gives files, folders and hidden names, but not the folder itself and its parent", () => {
    using folder = new TempFolder();
    const expected = [".hidden", "...", "..x", ".x", "a", "b c", "sub", "x".repeat(255), "é", "🦊"].sort();
    writeTree(folder.path, Object.fromEntries(expected.map((name) => [name === "sub" ? "sub/inner" : name, ""])));
    expect(names(folder.path)).toEqual(expected);
  });

  test("gives nothing for an empty folder", () => {
    using folder = new TempFolder();
    expect(names(folder.path)).toEqual([]);
  });

  test.if(process.platform === "linux")("gives undefined for a name that is not UTF-8", () => {
    using folder = new TempFolder();
    // A lone continuation byte, a surrogate, an overlong slash, a character that is cut off.
    for (const bytes of [[0x80], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x61, 0xe2, 0x82]]) {
      writeFileSync(Buffer.concat([Buffer.from(folder.join("x")), Buffer.from(bytes)]), "");
    }
    expect(names(folder.path)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("keeps a byte order mark and the two ways to write é apart", () => {
    using folder = new TempFolder();
    writeTree(folder.path, { "\ufeffa": "", a: "", "\u00e9": "", "e\u0301": "" });
    expect(names(folder.path)).toEqual(["a", "e\u0301", "\u00e9", "\ufeffa"]);
  });

  test.each([
    ["a missing folder", "missing", "ENOENT"],
    ["a file", "file", "ENOTDIR"],
    ["what is below a file", "file/below", "ENOTDIR"],
  ])("throws the system's error for %s", (_, name, code) => {
    using folder = new TempFolder();
    writeTree(folder.path, { file: "" });
    expect(() => names(folder.join(name))).toThrow(expect.objectContaining({ code }));
  });

  test.if(process.platform !== "win32")("does not wait at a FIFO", () => {
    using folder = new TempFolder();
    expect(Bun.spawnSync(["mkfifo", folder.join("fifo")]).exitCode).toBe(0);
    expect(() => names(folder.join("fifo"))).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
  });

  test("shows what was there when it was read, though it is read late", () => {
    using folder = new TempFolder();
    const reader = readFolder(folder.path);
    mkdirSync(folder.join("late"));
    expect([...reader].flat()).toEqual(["late"]);
  });
});

describe.skipIf(libc().getdents64 === undefined)("with the system's own call", () => {
  const entries = (path: string) => [...readEntries(path)].flat();
  const types = (path: string) => Object.fromEntries(entries(path).map(({ name, isFolder }) => [name, isFolder]));
  const odd = (path: string) => Buffer.concat([Buffer.from(path), Buffer.from([0x80])]);

  test("the folder says which of its entries are folders, and of a link that it is none", () => {
    using folder = new TempFolder();
    writeTree(folder.path, { file: "", "sub/inner": "" });
    symlinkSync("sub", folder.join("link"));
    expect(types(folder.path)).toEqual({ file: false, sub: true, link: false });
    using _untyped = withUntypedNames();
    expect(types(folder.path)).toEqual({ file: undefined, sub: undefined, link: undefined });
  });

  test("a name that is not UTF-8 has its bytes, and no other has", () => {
    using folder = new TempFolder();
    writeTree(folder.path, { plain: "" });
    for (const name of ["a", "b"]) writeFileSync(odd(folder.join(name)), "");
    const found = entries(folder.path);
    const bytes = found.flatMap((entry) =>
      entry.bytes === undefined ? [] : [Buffer.from(entry.bytes).toString("hex")],
    );
    expect(bytes.sort()).toEqual(["6180", "6280"]);
    expect(found.find(({ name }) => name === "plain")).toEqual({ name: "plain", isFolder: false });
    const strays: string[] = [];
    const shown = [...readFolder(folder.path, (stray) => strays.push(Buffer.from(stray).toString("hex")))].flat();
    expect(strays.sort()).toEqual(["6180", "6280"]);
    expect(shown.filter((name) => name !== undefined)).toEqual(["plain"]);
  });

  test.each([
    ["is removed", "ENOENT"],
    ["is there", "EIO"],
  ])("a folder that %s and can't be read is %s, and nothing of it stays open", (what, code) => {
    using folder = new TempFolder();
    mkdirSync(folder.join("sub"));
    const calls = libc();
    const { getdents64 } = calls;
    Object.assign(calls, {
      getdents64: () => {
        if (what === "is removed") rmdirSync(folder.join("sub"));
        return -1;
      },
    });
    try {
      expect(() => entries(folder.join("sub"))).toThrow(expect.objectContaining({ code }));
    } finally {
      Object.assign(calls, { getdents64 });
    }
    expect(openBelow(folder.path)).toBe(0);
  });

  test("a folder that is read to its end, or left before, is closed", () => {
    using folder = new TempFolder();
    writeTree(folder.path, { a: "", b: "" });
    entries(folder.path);
    for (const _ of readFolder(folder.path)) break;
    expect(openBelow(folder.path)).toBe(0);
  });
});

describe.if(process.platform !== "win32")("without the system's own call", () => {
  /** Reads as readEntries() does without it. */
  function entries(path: string): [string | undefined, boolean | undefined][] {
    const calls = libc();
    const { getdents64 } = calls;
    Object.assign(calls, { getdents64: undefined });
    try {
      return [...readEntries(path)].flat().map(({ name, isFolder }) => [name, isFolder]);
    } finally {
      Object.assign(calls, { getdents64 });
    }
  }

  test("the folder says which of its entries are folders", () => {
    using folder = new TempFolder();
    writeTree(folder.path, { file: "", "sub/inner": "" });
    expect(entries(folder.path).sort()).toEqual([
      ["file", false],
      ["sub", true],
    ]);
  });

  test.if(process.platform === "linux")(
    "a name that is not UTF-8 is undefined, beside one with the sign for it",
    () => {
      using folder = new TempFolder();
      writeTree(folder.path, { "a\ufffd": "", b: "" });
      writeFileSync(Buffer.concat([Buffer.from(folder.join("x")), Buffer.from([0x80])]), "");
      const names = entries(folder.path).map(([name]) => name);
      expect(names.sort()).toEqual(["a\ufffd", "b", undefined]);
    },
  );
});
