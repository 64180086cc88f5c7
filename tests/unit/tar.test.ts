import { expect, test } from "bun:test";
import fc from "fast-check";
import type { StorageEntry } from "../../lib/storage/storage.ts";
import { tarHead, tarPadding } from "../../lib/tar.ts";

const facts = { modifiedAt: 1_700_000_000_000, executable: false, etag: "e" };
const fileOf = (size: number): StorageEntry => ({ path: "p", kind: "file", size, ...facts });

/** The records of a pax head, read by their own lengths. */
function recordsOf(head: Uint8Array): Record<string, string> {
  const size = Number.parseInt(Buffer.from(head.subarray(124, 135)).toString(), 8);
  let rest = Buffer.from(head.subarray(512, 512 + size));
  const records: Record<string, string> = {};
  while (rest.length > 0) {
    const length = Number.parseInt(rest.toString(), 10);
    const [, key = "", value = ""] = /^\d+ ([a-z]+)=(.*)\n$/su.exec(rest.subarray(0, length).toString()) ?? [];
    records[key] = value;
    rest = rest.subarray(length);
  }
  return records;
}

test("a head that ustar can say is one block, whose sum is right", () => {
  const head = tarHead("docs/a.txt", fileOf(5));
  expect(head).toHaveLength(512);
  const sum = Number.parseInt(Buffer.from(head.subarray(148, 154)).toString(), 8);
  const blank = head.slice().fill(32, 148, 156);
  expect(blank.reduce((all, byte) => all + byte, 0)).toBe(sum);
});

test("what ustar can't say stands in records before it", () => {
  expect(recordsOf(tarHead("ü", fileOf(5)))).toEqual({ path: "ü" });
  expect(recordsOf(tarHead("a", fileOf(8 ** 11)))).toEqual({ size: `${8 ** 11}` });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 101, maxLength: 1_100 }), (name) => {
      const head = tarHead(name, fileOf(0));
      expect(head.length % 512).toBe(0);
      expect(recordsOf(head)["path"]).toBe(name);
    }),
  );
});

test("every member ends with a whole block", () => {
  fc.assert(fc.property(fc.nat(), (size) => expect((size + tarPadding(size)) % 512).toBe(0)));
});

test("a time that is no whole second, or before 1970, stands in records, too", () => {
  const at = (modifiedAt: number) => recordsOf(tarHead("a", { ...fileOf(5), modifiedAt }))["mtime"];
  expect([1_700_000_000_120, 1_700_000_000_001, -5_500, -5_000].map(at)).toEqual([
    ...["1700000000.12", "1700000000.001", "-5.5", "-5"],
  ]);
});

test("a member without bytes has records, so that it can be cut", () => {
  expect(recordsOf(tarHead("a", fileOf(0)))).toEqual({ mtime: "1700000000" });
  expect(recordsOf(tarHead("d", { ...fileOf(5), kind: "folder" }))).toEqual({ mtime: "1700000000" });
});
