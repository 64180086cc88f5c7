import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { StorageError } from "../../../lib/errors.ts";
import { settle } from "../../support/fake-clock.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { codeOf } from "../../support/fault.ts";
import { contentOf, fillAllSizes, meddledClient, opening, SIZES, uploading } from "../../support/moving.ts";
import { readWhole, walk } from "../../support/repository.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(6 * BLOCK_BYTES + 5);

describe("an upload", () => {
  test("brings a whole tree: contents, times, rights, empty folders", async () => {
    await using moved = uploading();
    await fillAllSizes(moved.local);
    await moved.transfer.run(await moved.server.client());
    expect(await contentOf(moved.server.storage)).toEqual(await contentOf(moved.local));
    const { paths } = await walk(moved.local);
    expect(moved.told.sorted).toEqual(paths.map((path) => `stored ${path}`).sort());
    expect(moved.told.progress).toBe(SIZES.reduce((sum, size) => sum + size, 0) + (199 * 200 * 7) / 2);
  });

  test("finds everything unchanged the second time, and moves no large file", async () => {
    await using moved = uploading({
      source: async function* (local) {
        for (const path of ["a", "b", "a", "b"]) {
          const { size, modifiedAt } = await local.stat(path);
          yield { from: path, to: path, kind: "file", size, modifiedAt, local };
        }
      },
    });
    moved.local.set("a", LARGE, 5);
    moved.local.set("b", LARGE.subarray(1), 5);
    const { client, link } = await meddledClient(moved.server);
    await moved.transfer.run(client);
    expect(moved.told.sorted).toEqual(["stored a", "stored b", "unchanged a", "unchanged b"]);
    expect(link.bytesOut).toBeLessThan(2 * LARGE.length + 5_000);
  });

  test.each([
    ["fail", ["EXISTS large", "EXISTS small", "stored new"], [1, 1]],
    ["skip", ["skipped large", "skipped small", "stored new"], [1, 1]],
    ["overwrite", ["stored large", "stored new", "stored small"], [LARGE.length, 500]],
    ["rename", ["stored large as large (2)", "stored new", "stored small as small (2)"], [1, 1]],
  ] as const)("does with what is there what the policy says: %s", async (exists, outcomes, sizes) => {
    await using moved = uploading({ exists });
    const { storage } = moved.server;
    for (const [name, content] of [
      ["large", LARGE],
      ["small", noise(500)],
      ["new", noise(9)],
    ] as const) {
      moved.local.set(name, content, 5);
      if (name !== "new") storage.set(name, noise(1), 1);
    }
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual([...outcomes]);
    expect((await storage.stat("large")).size).toBe(sizes[0]);
    expect((await storage.stat("small")).size).toBe(sizes[1]);
  });

  test("tells what can't be read, and brings the others", async () => {
    await using moved = uploading({
      source: async function* (local) {
        for (const path of ["a", "missing", "../out", "z"]) {
          yield { from: path === "../out" ? "a" : path, to: path, kind: "file", size: 3, modifiedAt: 0, local };
        }
      },
    });
    moved.local.set("a", noise(3));
    moved.local.set("z", noise(3));
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(["BAD_PATH ../out", "NOT_FOUND missing", "stored a", "stored z"]);
  });

  test("fails as a whole at a server that takes no files", async () => {
    const { TestServer } = await import("../../support/test-server.ts");
    await using readOnly = new TestServer({ writable: false });
    await using moved = uploading();
    moved.local.set("a", noise(3));
    expect(await codeOf(async () => moved.transfer.run(await readOnly.client()))).toBe("NOT_ALLOWED");
    expect(moved.told.outcomes).toEqual([]);
  });

  test.each([100, LARGE.length])("starts a file of %i bytes again that changes under way", async (size) => {
    let opened = 0;
    const other = noise(size - 7, 2);
    const make = () => {
      if (++opened > 2) return new FakeFile(other, { etag: "etag-new" });
      const file = new FakeFile(LARGE.subarray(0, size), { etag: "etag-old" });
      file.onRead = (position) => {
        if (position >= size / 2) file.replace(other);
        else if (size === 100) file.replace(other);
        return undefined;
      };
      return file;
    };
    await using moved = uploading({ source: () => opening({ a: make, b: () => new FakeFile(noise(200_000, 3)) }) });
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.restarts).toEqual(["a"]);
    expect(moved.told.sorted).toEqual(["stored a", "stored b"]);
    expect((await readWhole(moved.server.storage, "a")).equals(other)).toBe(true);
    expect((await readWhole(moved.server.storage, "b")).equals(noise(200_000, 3))).toBe(true);
  });

  test("gives a file up as CHANGED that changes every time, and stores nothing of it", async () => {
    const make = () => {
      const file = new FakeFile(LARGE);
      file.onRead = (position) => {
        if (position > BLOCK_BYTES) file.replace(LARGE);
        return undefined;
      };
      return file;
    };
    await using moved = uploading({ source: () => opening({ a: make, b: () => new FakeFile(noise(10)) }) });
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(["CHANGED a", "stored b"]);
    expect(moved.told.restarts).toEqual(["a", "a"]);
    expect((await walk(moved.server.storage)).paths).toEqual(["b"]);
  });

  test("closes every file that it opens", async () => {
    const files: FakeFile[] = [];
    const make = (size: number) => () => {
      const file = new FakeFile(noise(size));
      files.push(file);
      return file;
    };
    const sizes = [0, 10, BLOCK_BYTES, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES, 5];
    const items = Object.fromEntries(sizes.map((size, at) => [`file-${at}`, make(size)]));
    // Made once for its facts, which is not an opening.
    await using moved = uploading({
      source: async function* () {
        for await (const item of opening(items)) {
          files.length--;
          yield item;
        }
      },
    });
    moved.server.storage.set("file-4", noise(1), 1);
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(
      ["EXISTS file-4", "stored file-0", "stored file-1", "stored file-2", "stored file-3", "stored file-5"], //
    );
    expect(files.map(({ closed }) => closed)).toEqual(files.map(() => true));
  });
});

describe("an upload to a disk that fails", () => {
  test("tells each file that it fails once, and has the others", async () => {
    // As from a slow disk: the server has answered before the last block is read.
    const slow = () => Object.assign(new FakeFile(LARGE), { onRead: settle });
    await using moved = uploading({ source: () => opening({ a: slow, b: () => new FakeFile(noise(10)) }) });
    const { storage } = moved.server;
    const receive = storage.receive.bind(storage);
    storage.receive = async (...args) =>
      Object.defineProperty(await receive(...args), "write", {
        value: async () => {
          throw new StorageError("DISK_FULL", "No room.");
        },
      });
    await moved.transfer.run(await moved.server.client());
    expect(moved.told.sorted).toEqual(["NO_SPACE a", "stored b"]);
  });
});
