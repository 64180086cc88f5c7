import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { decodeRecords, encodeRecord, MAX_RECORD_BYTES } from "../../../lib/protocol/records.ts";
import { pieces, utf8 } from "../../support/bytes.ts";
import { rejection } from "../../support/outcomes.ts";

const Numbered = v.object({ n: v.number(), text: v.optional(v.string()) });

async function* bodyOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

function decode(parts: readonly Uint8Array[]) {
  return Array.fromAsync(decodeRecords(Numbered, bodyOf(parts)));
}

/** A record that is `bytes` long with its line feed. */
function recordOf(bytes: number): Uint8Array {
  return encodeRecord({ n: 1, text: "x".repeat(bytes - encodeRecord({ n: 1, text: "" }).length) });
}

describe("encodeRecord()", () => {
  test("ends the JSON with a line feed, and has no other", () => {
    expect(Buffer.from(encodeRecord({ n: 1, text: "a\nb" })).toString()).toBe('{"n":1,"text":"a\\nb"}\n');
  });
});

describe("decodeRecords()", () => {
  const body = Buffer.concat([1, 2, 3].map((n) => encodeRecord({ n, text: "é".repeat(n) })));

  test.each([1, 2, 5, 16, 1_000])("reads a body in pieces of %i bytes", async (size) => {
    const records = await decode(pieces(body, size));
    expect(records).toEqual([1, 2, 3].map((n) => ({ n, text: "é".repeat(n) })));
  });

  test("reads an empty body as no records", async () => {
    expect(await decode([])).toEqual([]);
  });

  test("yields a record as soon as its line is whole", async () => {
    const asked: number[] = [];
    const records = decodeRecords(
      Numbered,
      (async function* () {
        for (const n of [1, 2]) {
          asked.push(n);
          yield encodeRecord({ n });
        }
      })(),
    );
    expect(await records.next()).toEqual({ done: false, value: { n: 1 } });
    expect(asked).toEqual([1]);
    await records.return(undefined);
  });

  test.each([
    ["Uint8Array", new Uint8Array(8)],
    ["Buffer", Buffer.alloc(8)],
  ])("keeps nothing of a %s that its owner uses again", async (_kind, buffer) => {
    const parts = pieces(utf8('{"n":12345}\n{"n":6}\n'), 8);
    const reused = async function* () {
      for (const part of parts) {
        buffer.set(part);
        yield buffer.subarray(0, part.length);
        buffer.fill(0x20);
      }
    };
    expect(await Array.fromAsync(decodeRecords(Numbered, reused()))).toEqual([{ n: 12_345 }, { n: 6 }]);
  });

  test.each([
    ["a last record without its line feed", '{"n":1}\n{"n":2}'],
    ["an empty line", '{"n":1}\n\n'],
    ["a line that is not JSON", "hello\n"],
    ["a record of another shape", '{"n":"1"}\n'],
  ])("rejects %s as BAD_PAYLOAD", async (_what, text) => {
    expect((await rejection(decode([utf8(text)]))).code).toBe("BAD_PAYLOAD");
    expect((await rejection(decode(pieces(utf8(text), 1)))).code).toBe("BAD_PAYLOAD");
  });

  test("accepts the longest record, in one piece and in many", async () => {
    const longest = recordOf(MAX_RECORD_BYTES);
    expect(longest).toHaveLength(MAX_RECORD_BYTES);
    expect(await decode([longest])).toHaveLength(1);
    expect(await decode(pieces(longest, 4_096))).toHaveLength(1);
  });

  test("rejects a line far above the limit before it ends", async () => {
    const endless = async function* () {
      for (;;) yield new Uint8Array(4_096).fill(0x20);
    };
    expect((await rejection(Array.fromAsync(decodeRecords(Numbered, endless())))).code).toBe("BAD_PAYLOAD");
  });

  test("rejects a record above the limit that arrives in one piece", async () => {
    expect((await rejection(decode([recordOf(MAX_RECORD_BYTES + 1)]))).code).toBe("BAD_PAYLOAD");
  });

  test("rejects a record one byte above the limit that arrives in many pieces", async () => {
    expect((await rejection(decode(pieces(recordOf(MAX_RECORD_BYTES + 1), 4_096)))).code).toBe("BAD_PAYLOAD");
  });

  test("leaving early leaves the body too", async () => {
    let left = false;
    const endless = async function* () {
      try {
        for (;;) yield encodeRecord({ n: 1 });
      } finally {
        left = true;
      }
    };
    for await (const _ of decodeRecords(Numbered, endless())) break;
    expect(left).toBeTrue();
  });
});
