import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Storage } from "../../lib/storage/storage.ts";
import { PLAIN_DISK, timeOn } from "../support/disk-traits.ts";
import { codeOf } from "../support/fault.ts";
import { readWhole, walk } from "../support/repository.ts";

/** A fresh, empty repository and a way to fill it. */
export interface StorageFixture extends Disposable {
  readonly storage: Storage;
  /** Make or replace the content of a file, with the folders on the way. */
  put(path: string, content: string | Uint8Array, modifiedAt?: number): void;
}

const DEEP = Array.from({ length: 60 }, (_, level) => `level${level}`).join("/");

/** Names that are unusual and allowed. */
const NAMES = [
  "-rf",
  ".hidden",
  "...",
  "two words",
  " leading and trailing ",
  "quote\"s'",
  "dollar$(x)`y`",
  "stars*and?marks[x]{y}!",
  "Ünï-cödé",
  "nfd-e\u0301",
  "nfc-\u00e9",
  "日本語.txt",
  "🦊.md",
  "\ufeffbom",
  "x".repeat(255),
  "é".repeat(127),
];

/** What lib/storage/storage.ts says, for every implementation of it. */
export function storageContract(name: string, open: () => Promise<StorageFixture>, traits = PLAIN_DISK): void {
  const isHeld = (unusual: string) => traits.refused?.test(unusual) !== true;

  describe(`${name}: stat()`, () => {
    test("tells a file", async () => {
      using fixture = await open();
      const modifiedAt = timeOn(traits, 1_700_000_000_123);
      fixture.put("docs/a.txt", "hello", 1_700_000_000_123);
      const entry = await fixture.storage.stat("docs/a.txt");
      expect(entry).toMatchObject({ path: "docs/a.txt", kind: "file", size: 5, modifiedAt });
    });

    test("tells a folder and the root", async () => {
      using fixture = await open();
      fixture.put("docs/a.txt", "hello");
      expect(await fixture.storage.stat("docs")).toMatchObject({ path: "docs", kind: "folder", size: 0 });
      expect(await fixture.storage.stat("")).toMatchObject({ path: "", kind: "folder", size: 0 });
    });

    test("says NOT_FOUND for a missing name, in a missing folder, and below a file", async () => {
      using fixture = await open();
      fixture.put("a.txt", "hello");
      for (const path of ["missing", "missing/a.txt", "a.txt/below", "a.tx", "a.txt2"]) {
        expect(await codeOf(() => fixture.storage.stat(path))).toBe("NOT_FOUND");
      }
    });

    test("gives the same etag for what has not changed and another for what has", async () => {
      using fixture = await open();
      fixture.put("a.txt", "first");
      const { etag } = await fixture.storage.stat("a.txt");
      expect((await fixture.storage.stat("a.txt")).etag).toBe(etag);
      fixture.put("a.txt", "the second");
      expect((await fixture.storage.stat("a.txt")).etag).not.toBe(etag);
    });
  });

  describe(`${name}: list()`, () => {
    test("goes depth first and by name within each folder", async () => {
      using fixture = await open();
      for (const path of ["b/2", "b/1", "a.txt", "a/z/deep", "a/b", "Z", "c"]) fixture.put(path, path);
      expect((await walk(fixture.storage)).paths).toEqual(
        ["Z", "a", "a/b", "a/z", "a/z/deep", "a.txt", "b", "b/1", "b/2", "c"], //
      );
    });

    test("tells every entry as stat() does, and leaves nothing out", async () => {
      using fixture = await open();
      for (const path of ["a/b/c", "a/d", "e"]) fixture.put(path, path.repeat(10), 1_600_000_000_000);
      const { entries, skipped } = await walk(fixture.storage);
      expect(entries).toHaveLength(5);
      for (const entry of entries) expect(await fixture.storage.stat(entry.path)).toEqual(entry);
      expect(skipped).toBe(0);
    });

    test("gives what is below a folder, without the folder itself and its neighbours", async () => {
      using fixture = await open();
      for (const path of ["docs/a", "docs/sub/b", "docs2/c", "doc"]) fixture.put(path, path);
      expect((await walk(fixture.storage, "docs")).paths).toEqual(["docs/a", "docs/sub", "docs/sub/b"]);
      expect((await walk(fixture.storage, "docs/sub")).paths).toEqual(["docs/sub/b"]);
    });

    test("gives nothing for an empty repository", async () => {
      using fixture = await open();
      expect(await walk(fixture.storage)).toEqual({ entries: [], paths: [], skipped: 0 });
    });

    test("tells a folder that it is not to enter, and asks once for each folder", async () => {
      using fixture = await open();
      for (const path of ["in/a", "in/sub/b", "out/c", "out/sub/d"]) fixture.put(path, path);
      const asked: string[] = [];
      const { paths, skipped } = await walk(fixture.storage, "", (folder) => {
        asked.push(folder);
        return folder.startsWith("in");
      });
      expect(paths).toEqual(["in", "in/a", "in/sub", "in/sub/b", "out"]);
      expect(asked).toEqual(["in", "in/sub", "out"]);
      expect(skipped).toBe(0);
    });

    test("tells every file of any tree once, with the folders on the way, each folder before what it holds", async () => {
      const name = fc.stringMatching(/^[a-dé -]{1,3}$/);
      const paths = fc.uniqueArray(fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/")));
      await fc.assert(
        fc.asyncProperty(paths, async (all) => {
          // A file can't be a folder too.
          const held = all.filter((path) => path.split("/").every(isHeld));
          const files = held.filter((path) => !all.some((other) => other.startsWith(`${path}/`)));
          using fixture = await open();
          for (const path of files) fixture.put(path, path);
          const folders = files.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)));
          const inOrder = [...new Set([...files, ...folders])].map((path) => path.split("/")).sort(byComponents);
          expect((await walk(fixture.storage)).paths).toEqual(inOrder.map((components) => components.join("/")));
        }),
        { numRuns: 50 },
      );
    });

    test("gives no empty batch", async () => {
      using fixture = await open();
      for (const path of ["a/b/c", "d", "e/f"]) fixture.put(path, path);
      const sizes: number[] = [];
      for await (const batch of fixture.storage.list("", { enter: () => true, skipped: { count: 0 } })) {
        sizes.push(batch.length);
      }
      expect(sizes).not.toBeEmpty();
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    });

    test("says NOT_FOUND for a missing folder and for a file", async () => {
      using fixture = await open();
      fixture.put("a.txt", "hello");
      for (const path of ["missing", "a.txt", "a.txt/below"]) {
        expect(await codeOf(() => walk(fixture.storage, path))).toBe("NOT_FOUND");
      }
    });

    test("reaches what is nested 60 folders deep", async () => {
      using fixture = await open();
      fixture.put(`${DEEP}/file`, "deep");
      expect((await walk(fixture.storage)).paths.at(-1)).toBe(`${DEEP}/file`);
      expect((await readWhole(fixture.storage, `${DEEP}/file`)).toString()).toBe("deep");
    });

    test("can be left early and begun again", async () => {
      using fixture = await open();
      for (const path of ["a/b", "c", "d"]) fixture.put(path, path);
      for await (const _ of fixture.storage.list("", { enter: () => true, skipped: { count: 0 } })) break;
      expect((await walk(fixture.storage)).paths).toEqual(["a", "a/b", "c", "d"]);
    });
  });

  describe(`${name}: names`, () => {
    test.each(NAMES.filter(isHeld))("%p is listed, told and read", async (unusual) => {
      using fixture = await open();
      fixture.put(`folder/${unusual}`, `content of ${unusual}`);
      expect((await walk(fixture.storage)).paths).toEqual(["folder", `folder/${unusual}`]);
      expect(await fixture.storage.stat(`folder/${unusual}`)).toMatchObject({ kind: "file" });
      expect((await readWhole(fixture.storage, `folder/${unusual}`)).toString()).toBe(`content of ${unusual}`);
    });
  });

  describe(`${name}: open()`, () => {
    test("has the entry that stat() tells, with its etag", async () => {
      using fixture = await open();
      fixture.put("a.txt", "hello", 1_650_000_000_000);
      const file = await fixture.storage.open("a.txt");
      expect(file.entry).toEqual(await fixture.storage.stat("a.txt"));
      await file.check();
      expect(file.hasGrown).toBe(false);
      await file.close();
    });

    test.each([
      [0, 4, "0123"],
      [3, 4, "3456"],
      [8, 4, "89"],
      [9, 1, "9"],
      [0, 100, "0123456789"],
      [10, 4, ""],
      [11, 4, ""],
      [1_000_000, 4, ""],
    ])("reads from position %i into %i bytes: %p", async (position, length, expected) => {
      using fixture = await open();
      fixture.put("digits", "0123456789");
      const file = await fixture.storage.open("digits");
      const buffer = new Uint8Array(length).fill(0x2e);
      const bytes = await file.read(buffer, position);
      expect(Buffer.from(buffer).toString()).toBe(expected.padEnd(length, "."));
      expect(bytes).toBe(expected.length);
      await file.close();
    });

    test("reads an empty file as nothing, also into an empty buffer", async () => {
      using fixture = await open();
      fixture.put("empty", "");
      const file = await fixture.storage.open("empty");
      expect(file.entry.size).toBe(0);
      expect(await file.read(new Uint8Array(16), 0)).toBe(0);
      expect(await file.read(new Uint8Array(0), 0)).toBe(0);
      await file.close();
    });

    test("gives every byte of a large file, whatever the size of the buffer", async () => {
      using fixture = await open();
      const content = Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * 31) % 251);
      fixture.put("large", content);
      for (const step of [4_093, 262_144, 2_000_000]) {
        expect((await readWhole(fixture.storage, "large", step)).equals(content)).toBe(true);
      }
    });

    test("says NOT_A_FILE for a folder and the root, NOT_FOUND for what is missing", async () => {
      using fixture = await open();
      fixture.put("docs/a.txt", "hello");
      expect(await codeOf(() => fixture.storage.open("docs"))).toBe("NOT_A_FILE");
      expect(await codeOf(() => fixture.storage.open(""))).toBe("NOT_A_FILE");
      for (const path of ["missing", "missing/a", "docs/a.txt/below"]) {
        expect(await codeOf(() => fixture.storage.open(path))).toBe("NOT_FOUND");
      }
    });

    test("says CHANGED from read() and check() when the content has changed since", async () => {
      using fixture = await open();
      fixture.put("a.txt", "the first");
      const file = await fixture.storage.open("a.txt");
      expect(await file.read(new Uint8Array(4), 0)).toBe(4);
      fixture.put("a.txt", "another");
      expect(await codeOf(() => file.read(new Uint8Array(4), 4))).toBe("CHANGED");
      expect(await codeOf(() => file.check())).toBe("CHANGED");
      await file.close();
    });

    test("reads on while others come and go beside it", async () => {
      using fixture = await open();
      fixture.put("docs/a.txt", "the first");
      const file = await fixture.storage.open("docs/a.txt");
      fixture.put("docs/b.txt", "another");
      const buffer = new Uint8Array(9);
      expect(await file.read(buffer, 0)).toBe(9);
      expect(Buffer.from(buffer).toString()).toBe("the first");
      expect(file.hasGrown).toBe(false);
      await file.close();
    });
  });
}

function byComponents(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((component, index) => component !== b[index]);
  if (at === -1 || b[at] === undefined) return a.length - b.length;
  return (a[at] as string) < (b[at] as string) ? -1 : 1;
}
