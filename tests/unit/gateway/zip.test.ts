import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { zipDescriptor, zipDescriptorBytes, zipEnd, zipHead, zipRecord } from "../../../lib/gateway/zip.ts";
import type { StorageEntry } from "../../../lib/storage/storage.ts";

const GIB = 2 ** 30;
const facts = { path: "p", modifiedAt: Date.UTC(2024, 1, 29, 13, 14, 15), executable: false, etag: "e" };
const fileOf = (size: number): StorageEntry => ({ kind: "file", size, ...facts });
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** The extra fields of a record, by their number. */
function extraOf(record: Uint8Array): Map<number, Uint8Array> {
  const head = view(record);
  let at = 46 + head.getUint16(28, true);
  const end = at + head.getUint16(30, true);
  const fields = new Map<number, Uint8Array>();
  while (at < end) {
    const length = head.getUint16(at + 2, true);
    fields.set(head.getUint16(at, true), record.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  expect(at).toBe(record.length);
  return fields;
}

test("a file of less than 4 GiB has its facts in 32 bits", () => {
  const record = zipRecord("docs/ü", fileOf(5), 77, 0xcbf43926);
  const head = view(record);
  expect(head.getUint32(16, true)).toBe(0xcbf43926);
  expect([head.getUint32(20, true), head.getUint32(24, true), head.getUint32(42, true)]).toEqual([5, 5, 77]);
  expect(new TextDecoder().decode(record.subarray(46, 46 + head.getUint16(28, true)))).toBe("docs/ü");
  expect([...extraOf(record).keys()]).toEqual([0x5455]);
  expect(view(extraOf(record).get(0x5455) as Uint8Array).getUint32(1, true)).toBe(facts.modifiedAt / 1000);
  expect(head.getUint16(12, true)).toBe((13 << 11) | (14 << 5) | 7);
  expect(head.getUint16(14, true)).toBe((44 << 9) | (2 << 5) | 29);
});

test("what is larger, or further away, has them in 64", () => {
  for (const [size, at, expected] of [
    [5 * GIB, 1, [5 * GIB, 5 * GIB]],
    [1, 5 * GIB, [5 * GIB]],
    [6 * GIB, 5 * GIB, [6 * GIB, 6 * GIB, 5 * GIB]],
  ] as const) {
    const wide = extraOf(zipRecord("a", fileOf(size), at, 0)).get(1) as Uint8Array;
    expect(Array.from({ length: wide.length / 8 }, (_, n) => Number(view(wide).getBigUint64(n * 8, true)))).toEqual([
      ...expected,
    ]);
  }
  expect(zipHead("a", fileOf(5 * GIB)).length).toBe(zipHead("a", fileOf(5)).length + 20);
  expect(zipEnd({ count: 1, at: 5 * GIB, bytes: 50 })).toHaveLength(98);
  expect(zipEnd({ count: 70_000, at: 5, bytes: 50 })).toHaveLength(98);
  expect(zipEnd({ count: 2, at: 5, bytes: 50 })).toHaveLength(22);
});

test("no length depends on the checksum, which is not known before", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(0xffffffff), (size, at, checksum) => {
      const entry = fileOf(size);
      expect(zipDescriptor(entry, checksum)).toHaveLength(zipDescriptorBytes(entry));
      expect(zipRecord("a", entry, at, checksum)).toHaveLength(zipRecord("a", entry, at, 0).length);
    }),
  );
});

test.each([
  [-1e15, [1980, 1, 1, 0, 0, 0]],
  [0, [1980, 1, 1, 0, 0, 0]],
  [Date.UTC(1980, 0, 1, 0, 0, 2), [1980, 1, 1, 0, 0, 2]],
  [Date.UTC(2107, 11, 31, 23, 59, 58), [2107, 12, 31, 23, 59, 58]],
  [Date.UTC(2108, 0), [2107, 12, 31, 23, 59, 58]],
  [8.64e15, [2107, 12, 31, 23, 59, 58]],
])("the time %p, which zip may not be able to say, is the nearest that it can", (modifiedAt, expected) => {
  const record = zipRecord("a", { ...fileOf(1), modifiedAt }, 0, 0);
  expect(record).toHaveLength(zipRecord("a", fileOf(1), 0, 0).length);
  const [time, date] = [view(record).getUint16(12, true), view(record).getUint16(14, true)];
  const day = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  expect([...day, time >> 11, (time >> 5) & 63, 2 * (time & 31)]).toEqual(expected);
});

test("the head of a member tells no checksum and no size: they follow the bytes", () => {
  for (const entry of [fileOf(5), fileOf(5 * GIB), { ...fileOf(0), kind: "folder" } as const]) {
    const head = view(zipHead("a", entry));
    const size = entry.size < 4 * GIB ? 0 : 0xffffffff;
    expect([head.getUint32(14, true), head.getUint32(18, true), head.getUint32(22, true)]).toEqual([0, size, size]);
    expect((head.getUint16(6, true) & 8) !== 0).toBe(entry.kind === "file");
  }
});

/** Fields of so many bytes each, little-endian. */
function written(...fields: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  const bytes = fields.flatMap(([count, value]) =>
    Array.from({ length: count }, (_, index) => Math.floor(value / 2 ** (8 * index)) % 256),
  );
  return new Uint8Array(bytes);
}

describe("each field is where APPNOTE has it:", () => {
  type Fields = readonly (readonly [bytes: number, value: number])[];
  const [LARGE, FAR, ALL] = [5 * GIB, 7 * GIB, 0xffffffff];
  const NAME: Fields = [[1, 0x61]];
  const STAMP: Fields = [
    [2, 0x5455],
    [2, 5],
    [1, 1],
    [4, facts.modifiedAt / 1000],
  ];
  /** The version that a reader needs, flags, method, time and date. */
  const terms = (version: number, flags: number): Fields => {
    const [time, date] = [(13 << 11) | (14 << 5) | 7, (44 << 9) | (2 << 5) | 29];
    return [
      [2, version],
      [2, flags],
      [2, 0],
      [2, time],
      [2, date],
    ];
  };
  /** Lengths of name and extra fields. */
  const lengths = (name: number, extra: number): Fields => [
    [2, name],
    [2, extra],
  ];
  /** Of a comment, the number of the disk, and what the reader's own system says of the file. */
  const NO_OTHERS: Fields = [
    [2, 0],
    [2, 0],
    [2, 0],
  ];
  const folder = { ...fileOf(0), kind: "folder" } as const;

  test("a file", () => {
    expect(zipHead("a", fileOf(5))).toEqual(
      written([4, 0x04034b50], ...terms(20, 0x808), [4, 0], [4, 0], [4, 0], ...lengths(1, 9), ...NAME, ...STAMP),
    );
    expect(zipDescriptor(fileOf(5), 9)).toEqual(written([4, 0x08074b50], [4, 9], [4, 5], [4, 5]));
    const sizes: Fields = [[4, 9], [4, 5], [4, 5], ...lengths(1, 9), ...NO_OTHERS];
    expect(zipRecord("a", fileOf(5), 77, 9)).toEqual(
      written(
        [4, 0x02014b50],
        [2, 0x314],
        ...terms(20, 0x808),
        ...sizes,
        [4, 0o100644 * 0x10000],
        [4, 77],
        ...NAME,
        ...STAMP,
      ),
    );
  });

  test("a folder", () => {
    const name: Fields = [...NAME, [1, 0x2f]];
    expect(zipHead("a", folder)).toEqual(
      written([4, 0x04034b50], ...terms(20, 0x800), [4, 0], [4, 0], [4, 0], ...lengths(2, 9), ...name, ...STAMP),
    );
    expect(zipDescriptor(folder, 0)).toHaveLength(0);
    const sizes: Fields = [[4, 0], [4, 0], [4, 0], ...lengths(2, 9), ...NO_OTHERS];
    expect(zipRecord("a", folder, 77, 0)).toEqual(
      written(
        [4, 0x02014b50],
        [2, 0x314],
        ...terms(20, 0x800),
        ...sizes,
        [4, 0o40755 * 0x10000 + 0x10],
        [4, 77],
        ...name,
        ...STAMP,
      ),
    );
  });

  test("a large file that is far away", () => {
    const none: Fields = [
      [2, 1],
      [2, 16],
      [8, 0],
      [8, 0],
    ];
    expect(zipHead("a", fileOf(LARGE))).toEqual(
      written(
        [4, 0x04034b50],
        ...terms(45, 0x808),
        [4, 0],
        [4, ALL],
        [4, ALL],
        ...lengths(1, 29),
        ...NAME,
        ...STAMP,
        ...none,
      ),
    );
    expect(zipDescriptor(fileOf(LARGE), 9)).toEqual(written([4, 0x08074b50], [4, 9], [8, LARGE], [8, LARGE]));
    const sizes: Fields = [[4, 9], [4, ALL], [4, ALL], ...lengths(1, 37), ...NO_OTHERS];
    const wide: Fields = [
      [2, 1],
      [2, 24],
      [8, LARGE],
      [8, LARGE],
      [8, FAR],
    ];
    expect(zipRecord("a", fileOf(LARGE), FAR, 9)).toEqual(
      written(
        [4, 0x02014b50],
        [2, 0x32d],
        ...terms(45, 0x808),
        ...sizes,
        [4, 0o100644 * 0x10000],
        [4, ALL],
        ...NAME,
        ...STAMP,
        ...wide,
      ),
    );
  });

  test("the end", () => {
    const end = (count: number, bytes: number, at: number): Fields => [
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, bytes],
      [4, at],
      [2, 0],
    ];
    expect(zipEnd({ count: 2, at: 5, bytes: 50 })).toEqual(written(...end(2, 50, 5)));
    const wide: Fields = [
      [4, 0x06064b50],
      [8, 44],
      [2, 0x32d],
      [2, 45],
      [4, 0],
      [4, 0],
    ];
    const places: Fields = [
      [8, 70_000],
      [8, 70_000],
      [8, 50],
      [8, FAR],
    ];
    const locator: Fields = [
      [4, 0x07064b50],
      [4, 0],
      [8, FAR + 50],
      [4, 1],
    ];
    expect(zipEnd({ count: 70_000, at: FAR, bytes: 50 })).toEqual(
      written(...wide, ...places, ...locator, ...end(0xffff, 50, ALL)),
    );
  });

  test("the rights are those that the file has, or what is usual", () => {
    const rightsOf = (entry: StorageEntry) => view(zipRecord("a", entry, 0, 0)).getUint32(38, true) >>> 16;
    expect(rightsOf({ ...fileOf(1), executable: true })).toBe(0o100755);
    expect(rightsOf({ ...fileOf(1), executable: true, mode: 0o600 })).toBe(0o100600);
    expect(rightsOf({ ...folder, mode: 0o700 })).toBe(0o40700);
  });

  test.each([
    [-1, 0],
    [999, 0],
    [2 ** 31 * 1000, 0x7fffffff],
  ])("the time %p in seconds, as far as its field goes", (modifiedAt, seconds) => {
    const stamp = extraOf(zipRecord("a", { ...fileOf(1), modifiedAt }, 0, 0)).get(0x5455) as Uint8Array;
    expect(view(stamp).getUint32(1, true)).toBe(seconds);
  });
});
