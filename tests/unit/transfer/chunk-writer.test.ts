import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { ChunkKind } from "../../../lib/protocol/chunk.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { ChunkWriter } from "../../../lib/transfer/chunk-writer.ts";
import { chunk, WrittenBody } from "../../support/chunks.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { noise } from "../../support/transport-recorder.ts";
import { until } from "../../support/until.ts";

const writer = (body: WrittenBody) => new ChunkWriter(body, digest64, new FakeClock());

describe("ChunkWriter", () => {
  test("writes what the protocol says", async () => {
    const body = new WrittenBody();
    const ours = writer(body);
    await ours.json(ChunkKind.FILE, 7, { size: 3 });
    await ours.smallBlock(7, BLOCK_BYTES, Buffer.from("abc"));
    await ours.seal(0xffff_ffff);
    await ours.flush();
    const expected = [
      chunk("FILE", 7, { size: 3 }),
      chunk("BLOCK", 7, Buffer.from("abc"), { offset: BLOCK_BYTES }),
      chunk("SEAL", 0xffff_ffff),
    ];
    expect(body.bytes.toString("hex")).toBe(Buffer.concat(expected).toString("hex"));
  });

  test("writes a large block from its own buffer, after what was gathered", async () => {
    const body = new WrittenBody();
    const ours = writer(body);
    const frame = new Uint8Array(24 + BLOCK_BYTES);
    frame.set(noise(BLOCK_BYTES), 24);
    await ours.json(ChunkKind.FILE, 1, {});
    await ours.block(1, 2 ** 40, frame, ours.digest(frame.subarray(24), 2 ** 40));
    await ours.seal(1);
    await ours.flush();
    expect(body.kinds).toBe("FILE BLOCK SEAL");
    expect(body.chunks[1]).toMatchObject({ offset: 2 ** 40, intact: true });
    expect(body.chunks[1]?.payload.equals(noise(BLOCK_BYTES))).toBe(true);
  });

  test("gathers small chunks into few writes, in order, and lets them go by itself", async () => {
    const body = new WrittenBody();
    const ours = writer(body);
    for (let id = 0; id < 3_000; id++) await ours.smallBlock(id, 0, noise(100, id + 1));
    await settle();
    expect(body.writes).toBeLessThan(30);
    expect(body.chunks.map(({ id }) => id)).toEqual(Array.from({ length: 3_000 }, (_, id) => id));
    expect(body.chunks.every(({ intact, payload, id }) => intact && payload.equals(noise(100, id + 1)))).toBe(true);
  });

  test("holds back who writes more than a slow link takes", async () => {
    const body = new WrittenBody({ isOpen: false });
    const ours = writer(body);
    let written = 0;
    const all = (async () => {
      for (; written < 100; written++) await ours.smallBlock(written, 0, noise(60_000));
      await ours.flush();
    })();
    await settle();
    expect(written).toBeLessThan(10);
    body.open();
    await all;
    expect(body.chunks).toHaveLength(100);
  });

  test("keeps two batches and no more while nothing is taken, however the chunks come", async () => {
    const body = new WrittenBody({ isOpen: false });
    const ours = writer(body);
    let written = 0;
    const all = (async () => {
      for (; written < 10_000; written++) {
        await ours.json(ChunkKind.FAIL, written, { code: 34, message: "There is nothing of that name." });
        if (written % 10 === 0) await new Promise((resolve) => void setImmediate(resolve));
      }
      await ours.flush();
    })();
    await until(async () => {
      const before = written;
      await settle();
      return written === before;
    });
    expect(written * 80).toBeLessThan(300_000);
    expect(body.memory).toBeLessThan(300_000);
    body.open();
    await all;
    expect(body.chunks.map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
  });

  test("loses no chunk and mixes none when two write at once on a slow link", async () => {
    const body = new WrittenBody({ isOpen: false });
    const ours = writer(body);
    const one = (async () => {
      for (let id = 0; id < 8; id++) await ours.smallBlock(id, 0, noise(60_000, id + 1));
    })();
    const other = (async () => {
      for (let id = 100; id < 108; id++) await ours.smallBlock(id, 0, noise(50_000, id + 1));
    })();
    await settle();
    body.open();
    await Promise.all([one, other]);
    await ours.flush();
    expect(body.chunks.every(({ intact }) => intact)).toBe(true);
    expect(body.chunks.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 100, 101, 102, 103, 104, 105, 106, 107], //
    );
  });

  test("fails as its stream does", async () => {
    const body = new WrittenBody();
    const ours = writer(body);
    body.fail(new Error("gone"));
    await ours.seal(1);
    expect(await ours.flush().catch(({ message }) => message)).toBe("gone");
  });
});
