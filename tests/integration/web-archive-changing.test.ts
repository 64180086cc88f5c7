/** A folder that changes while it is sent as an archive: what arrives breaks off, and is never taken for whole. */
import { expect, test } from "bun:test";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { OpenFile, Storage } from "../../lib/storage/storage.ts";
import { facade } from "../support/facade.ts";
import { noise } from "../support/transport-recorder.ts";
import { WebSite } from "../support/web-site.ts";

const FORMATS = ["tar", "zip"];

function memory(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.set("docs/a", noise(1_000), 5_000);
  storage.set("docs/b", noise(2_000, 2), 5_000);
  return storage;
}

/** Whether the archive came whole, or broke off: perhaps before its head has arrived. */
async function fetched(storage: Storage, format: string): Promise<"whole" | "cut"> {
  await using site = await WebSite.start({ storage });
  try {
    const { status, headers, body, isCut } = await site.ask(`/files/docs/?archive=${format}`);
    expect(status).toBe(200);
    return !isCut && headers["content-length"] === `${body.length}` ? "whole" : "cut";
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "ECONNRESET" });
    return "cut";
  }
}

test.each(FORMATS)("a %s of files that stay as they are is whole", async (format) => {
  expect(await fetched(memory(), format)).toBe("whole");
});

test.each(
  FORMATS.flatMap((format) => [
    [format, "time", { modifiedAt: 6_000 }] as const,
    [format, "size", { size: 999 }] as const,
  ]),
)("a %s breaks off when a file has another %s than when it was measured", async (format, _, changed) => {
  const files = memory();
  const storage = facade<Storage>(files, {
    async open(path: string): Promise<OpenFile> {
      const file = await files.open(path);
      return facade<OpenFile>(file, { entry: { ...file.entry, ...changed } });
    },
  });
  expect(await fetched(storage, format)).toBe("cut");
});

test.each(FORMATS)("a %s breaks off when its folder has changed since it was measured", async (format) => {
  const files = memory();
  let walks = 0;
  const storage = facade<Storage>(files, {
    list(...asked) {
      // From the second walk on it is another file of the same size.
      if (++walks === 2) files.set("docs/b", noise(2_000, 3), 7_000);
      return files.list(...asked);
    },
  });
  expect([await fetched(storage, format), walks > 1]).toEqual(["cut", true]);
});
