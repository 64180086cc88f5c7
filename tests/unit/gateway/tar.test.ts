import { expect, test } from "bun:test";
import fc from "fast-check";
import { tarHead, tarPadding } from "../../../lib/gateway/tar.ts";
import type { StorageEntry } from "../../../lib/storage/storage.ts";

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
      expect(recordsOf(head)).toEqual({ path: name });
    }),
  );
});

test("every member ends with a whole block", () => {
  fc.assert(fc.property(fc.nat(), (size) => expect((size + tarPadding(size)) % 512).toBe(0)));
});
