import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, MAX_FILE_BYTES } from "../../../lib/block.ts";
import {
  DIGEST_BYTES,
  decodeHead,
  digestPosition,
  encodeHead,
  headBytesFor,
  headBytesIn,
  journalBytes,
  MIN_HEAD_BYTES,
} from "../../../lib/storage/local/journal-format.ts";
import type { FileFacts } from "../../../lib/storage/storage.ts";

const FACTS: FileFacts = { size: 3 * BLOCK_BYTES, modifiedAt: 1_700_000_000_123, executable: true, etag: "a-b" };
const HOLED: FileFacts = { ...FACTS, holes: [[BLOCK_BYTES, 2 * BLOCK_BYTES]] };

const json = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
const altered = (change: object) =>
  new TextEncoder().encode(JSON.stringify({ ...json(encodeHead({ facts: FACTS, boot: "b" })), ...change }));

describe("the head of a journal", () => {
  test.each([
    ["a file", FACTS],
    ["a file with holes", HOLED],
    ["an empty file", { ...FACTS, size: 0 }],
  ])("of %s is read as it was written", (_, facts) => {
    const bytes = encodeHead({ facts, boot: "run-1" });
    expect(decodeHead(bytes)).toEqual({ facts, boot: "run-1" });
    expect(bytes).toHaveLength(headBytesFor(facts));
    expect(headBytesIn(bytes.subarray(0, MIN_HEAD_BYTES))).toBe(bytes.length);
  });

  test("is the same whatever the facts are", () => {
    const facts = fc.record({
      size: fc.integer({ min: 0, max: MAX_FILE_BYTES }),
      modifiedAt: fc.maxSafeNat(),
      executable: fc.boolean(),
      etag: fc.string({ maxLength: 128 }),
    });
    fc.assert(
      fc.property(facts, fc.string({ maxLength: 64 }), (each, boot) => {
        expect(decodeHead(encodeHead({ facts: each, boot }))).toEqual({ facts: each, boot });
      }),
    );
  });

  test("keeps no rights: they are of the source, and may change meanwhile", () => {
    expect(decodeHead(encodeHead({ facts: { ...FACTS, mode: 0o600 }, boot: "b" }))?.facts).toEqual(FACTS);
  });

  test("was read by earlier versions in this form", () => {
    expect(new TextDecoder().decode(encodeHead({ facts: FACTS, boot: "b" })).trimEnd()).toBe(
      `{"format":"commserver journal 1","blockBytes":1048576,"boot":"b","size":3145728,"modifiedAt":1700000000123,"executable":true,"etag":"a-b"}`,
    );
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["zeros, as after a power failure", new Uint8Array(MIN_HEAD_BYTES)],
    ["a torn one", encodeHead({ facts: FACTS, boot: "b" }).subarray(0, 50)],
    ["no object", new TextEncoder().encode("null")],
    ["another format", altered({ format: "commserver journal 3" })],
    ["the format of holes without any", altered({ format: "commserver journal 2" })],
    ["blocks of another size", altered({ blockBytes: 65_536 })],
    ["a size that is no integer", altered({ size: 1.5 })],
    ["more blocks than a file can have", altered({ size: MAX_FILE_BYTES + 1 })],
  ])("is none of %s", (_, bytes) => expect(decodeHead(bytes)).toBeUndefined());
});

describe("the digests of a journal", () => {
  test("lie behind the head, 8 bytes for each block", () => {
    expect([0, 1, 2].map((number) => digestPosition(FACTS, number))).toEqual([4096, 4104, 4112]);
    expect(journalBytes(FACTS)).toBe(4096 + 3 * DIGEST_BYTES);
  });

  test("are none for a hole", () => expect(journalBytes(HOLED)).toBe(65_536 + 2 * DIGEST_BYTES));
});
