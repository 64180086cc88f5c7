import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { BlockPool } from "../../../lib/transfer/block-pool.ts";
import { type Chunk, ChunkReader } from "../../../lib/transfer/chunk-reader.ts";
import { pieces, splitAt } from "../../support/bytes.ts";
import { bodyOf, chunk } from "../../support/chunks.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";
import { noise } from "../../support/transport-recorder.ts";

const reading = (parts: Iterable<Uint8Array>, blocks = 2) =>
  new ChunkReader(bodyOf(parts), new BlockPool(blocks), digest64);

/** What the chunk was, copied, as its buffer is given back. */
function seen({ kind, id, offset, payload, intact, release }: Chunk) {
  const copy = { kind: kind as number, id, offset, payload: Buffer.from(payload).toString("hex"), intact };
  release();
  return copy;
}

/** All chunks, as the receivers read them. */
async function readAll(reader: ChunkReader): Promise<ReturnType<typeof seen>[]> {
  const all: ReturnType<typeof seen>[] = [];
  for (;;) {
    const next = reader.take() ?? (await reader.next());
    if (next === undefined) return all;
    all.push(seen(next));
  }
}

const someChunk = fc.oneof(
  fc.record({
    kind: fc.constantFrom("FILE" as const, "FAIL" as const, "FOLDER" as const),
    size: fc.integer({ min: 2, max: 300 }),
  }),
  fc.record({ kind: fc.constant("SEAL" as const), size: fc.constant(0) }),
  fc.record({
    kind: fc.constant("BLOCK" as const),
    size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(70_000)),
  }),
);

describe("ChunkReader", () => {
  test("gives its buffer back when the body ends within a block", async () => {
    const pool = new BlockPool(1);
    const body = Buffer.from(chunk("BLOCK", 0, noise(70_000))).subarray(0, -1);
    const reader = new ChunkReader(bodyOf(splitAt(body, [40_000])), pool, digest64);
    expect(await codeOf(() => reader.next())).toBe("BAD_PAYLOAD");
    expect(pool.take()).toBeInstanceOf(Uint8Array);
  });

  test("reads any chunks, however their bytes are split", async () => {
    const chunks = fc.array(fc.tuple(someChunk, fc.nat(0xffff_ffff), fc.nat(2 ** 20)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.array(fc.nat(1_000_000), { maxLength: 30 }), async (all, cuts) => {
        const encoded = all.map(([{ kind, size }, id, block], at) =>
          chunk(kind, id, noise(size, at + 1), { offset: kind === "BLOCK" ? block * BLOCK_BYTES : 0 }),
        );
        const body = Buffer.concat(encoded);
        const parts =
          body.length === 0
            ? []
            : splitAt(
                body,
                cuts.map((cut) => cut % body.length),
              );
        const read = await readAll(reading(parts));
        expect(read.every(({ intact }) => intact)).toBe(true);
        const again = read.map(({ kind, id, offset, payload }) =>
          chunk(kind, id, Buffer.from(payload, "hex"), { offset }),
        );
        expect(Buffer.concat(again).equals(body)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test.each([1, 7, 24, 25, 1_000, 262_144, 5_000_000])("reads large blocks from pieces of %i bytes", async (size) => {
    const bytes = size < 20 ? 5_000 : BLOCK_BYTES;
    const body = Buffer.concat(
      [0, 1, 2].map((at) => chunk("BLOCK", at, noise(bytes, at + 1), { offset: at * BLOCK_BYTES })),
    );
    const read = await readAll(reading(pieces(body, size)));
    expect(read.map(({ intact }) => intact)).toEqual([true, true, true]);
    expect(read[2]?.payload === noise(bytes, 3).toString("hex")).toBe(true);
  });

  test("has no chunk in an empty body", async () => {
    expect(await readAll(reading([]))).toEqual([]);
  });

  test("takes no byte of a chunk for good that is not what was sent, whichever is damaged", async () => {
    const good = Buffer.concat([
      chunk("FILE", 5, { size: 4 }),
      chunk("BLOCK", 5, Buffer.from("data"), { offset: 3 * BLOCK_BYTES }),
      chunk("SEAL", 5),
    ]);
    const sent = (await readAll(reading([good]))).map((one) => JSON.stringify(one));
    let noticed = 0;
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] as number) ^ flip;
        const read = await readAll(reading([bad])).catch((error) => {
          expect(["BAD_PAYLOAD", "DIGEST_MISMATCH"]).toContain(error.code);
          return undefined;
        });
        if (read === undefined) noticed++;
        for (const one of read ?? []) {
          // The number of the file is not covered by the digest: a receiver that does not know it drops the chunk.
          if (one.id !== 5 || !one.intact) noticed++;
          else expect(sent).toContain(JSON.stringify(one));
        }
      }
    }
    expect(noticed).toBeGreaterThanOrEqual(good.length * 3);
  });

  test("reports a damaged block, and continues after it", async () => {
    const bad = chunk("BLOCK", 1, Buffer.from("abc"), { digest: 1n });
    const read = await readAll(reading([Buffer.concat([bad, chunk("BLOCK", 2, Buffer.from("def"))])]));
    expect(read.map(({ id, intact }) => [id, intact])).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  test("knows a block that is whole and in the wrong place", async () => {
    const { digest } = { digest: chunk("BLOCK", 1, Buffer.from("abc")).readBigUInt64BE(16) };
    const moved = chunk("BLOCK", 1, Buffer.from("abc"), { offset: BLOCK_BYTES, digest });
    expect((await readAll(reading([moved])))[0]?.intact).toBe(false);
  });

  test.each(["FILE", "SEAL", "FAIL", "FOLDER"] as const)(
    "ends the stream with DIGEST_MISMATCH for a damaged %s",
    async (kind) => {
      const bad = chunk(kind, 1, kind === "SEAL" ? Buffer.alloc(0) : {}, { digest: 1n });
      expect(await codeOf(() => readAll(reading([bad])))).toBe("DIGEST_MISMATCH");
      expect(await codeOf(() => readAll(reading(pieces(bad, 1))))).toBe("DIGEST_MISMATCH");
    },
  );

  test("says BAD_PAYLOAD for a body that ends within a chunk, wherever", async () => {
    const whole = chunk("BLOCK", 1, Buffer.from("abcdef"));
    for (let length = 1; length < whole.length; length++) {
      const body = whole.subarray(0, length);
      expect(await codeOf(() => readAll(reading([body])))).toBe("BAD_PAYLOAD");
      expect(await codeOf(() => readAll(reading(pieces(body, 1))))).toBe("BAD_PAYLOAD");
    }
  });

  test.each([
    ["an unknown kind", chunk(6, 1)],
    ["the kind 0", chunk(0, 1)],
    ["a FILE above its limit", chunk("FILE", 1, Buffer.alloc(65_537))],
    ["a BLOCK above its limit", chunk("BLOCK", 1, Buffer.alloc(10), { length: BLOCK_BYTES + 1 })],
    ["a BLOCK without bytes", chunk("BLOCK", 1)],
    ["a SEAL with bytes", chunk("SEAL", 1, Buffer.from("x"))],
    ["a FILE with the number of a block", chunk("FILE", 1, {}, { offset: BLOCK_BYTES })],
  ])("says BAD_PAYLOAD for %s, before it has its payload", async (_, bad) => {
    const header = bad.subarray(0, 24);
    for (const parts of [[bad], [header], pieces(header, 5)]) {
      expect(await codeOf(() => readAll(reading(parts)))).toBe("BAD_PAYLOAD");
    }
  });

  test("waits for a buffer that is given back, and needs no more than it was given", async () => {
    const body = Buffer.concat(Array.from({ length: 6 }, (_, at) => chunk("BLOCK", at, noise(5_000, at + 1))));
    const reader = reading(pieces(body, 999), 2);
    const held = [await reader.next(), await reader.next()];
    let third: Chunk | undefined;
    const waiting = reader.next().then((got) => {
      third = got;
    });
    await settle();
    expect(third).toBeUndefined();
    held[0]?.release();
    await waiting;
    expect(third).toMatchObject({ id: 2, intact: true });
    expect(Buffer.from(held[1]?.payload ?? []).equals(noise(5_000, 2))).toBe(true);
    held[1]?.release();
    third?.release();
    expect(await readAll(reader)).toHaveLength(3);
  });
});
