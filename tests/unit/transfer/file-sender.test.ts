import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { StorageError } from "../../../lib/errors.ts";
import { ChunkKind } from "../../../lib/protocol/chunk.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import { ChunkWriter } from "../../../lib/transfer/chunk-writer.ts";
import { FileSender } from "../../../lib/transfer/file-sender.ts";
import { WrittenBody } from "../../support/chunks.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { watch } from "../../support/outcomes.ts";
import { noise } from "../../support/transport-recorder.ts";

function sending(body = new WrittenBody()) {
  const sent: number[] = [];
  const writer = new ChunkWriter(body, digest64, new FakeClock());
  const sender = new FileSender(writer, { onSent: (bytes) => sent.push(bytes) });
  return { body, writer, sender, sent };
}

/** Send ranges of a file to the end. */
async function send(file: FakeFile, ranges: readonly Range[]) {
  const made = sending();
  await made.sender.send(1, file, ranges);
  await made.writer.flush();
  return { ...made, chunks: made.body.chunks };
}

const SIZES = [
  0,
  1,
  65_536,
  65_537,
  BLOCK_BYTES - 1,
  BLOCK_BYTES,
  BLOCK_BYTES + 1,
  3 * BLOCK_BYTES,
  3 * BLOCK_BYTES + 9,
];

describe("FileSender", () => {
  test.each(SIZES)("sends %i bytes in blocks, each where it belongs, then SEAL", async (size) => {
    const content = noise(size);
    const { chunks, sent } = await send(new FakeFile(content), [[0, size]]);
    expect(chunks.at(-1)?.kind).toBe("SEAL");
    const blocks = chunks.slice(0, -1);
    expect(blocks).toHaveLength(Math.ceil(size / BLOCK_BYTES));
    expect(blocks.every(({ kind, id, intact }) => kind === "BLOCK" && id === 1 && intact)).toBe(true);
    expect(blocks.map(({ offset }) => offset)).toEqual(blocks.map((_, at) => at * BLOCK_BYTES));
    expect(Buffer.concat(blocks.map(({ payload }) => payload)).equals(content)).toBe(true);
    expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
  });

  test("sends several ranges, and nothing else", async () => {
    const content = noise(6 * BLOCK_BYTES + 100);
    const at = (block: number) => Math.min(content.length, block * BLOCK_BYTES);
    const { chunks } = await send(new FakeFile(content), [
      [at(1), at(2)],
      [at(3), at(5)],
      [at(6), at(7)],
    ]);
    expect(chunks.map(({ kind, offset }) => `${kind} ${offset / BLOCK_BYTES}`)).toEqual(
      ["BLOCK 1", "BLOCK 3", "BLOCK 4", "BLOCK 6", "SEAL 0"], //
    );
    for (const { kind, offset, payload } of chunks) {
      if (kind === "BLOCK") expect(payload.equals(content.subarray(offset, offset + BLOCK_BYTES))).toBe(true);
    }
  });

  test("gives back the buffers that it took, when a first small block needed none", async () => {
    const content = noise(2 * BLOCK_BYTES);
    const ranges: Range[] = [
      [0, 100],
      [BLOCK_BYTES, 2 * BLOCK_BYTES],
    ];
    const { sender } = await send(new FakeFile(content), ranges);
    expect(() => sender.close()).not.toThrow();
  });

  test("sends only SEAL for no ranges", async () => {
    expect((await send(new FakeFile(noise(10)), [])).body.kinds).toBe("SEAL");
  });

  test.each([1, 1_000, 300_000])("sends a file whose reads give at most %i bytes", async (maxRead) => {
    const content = noise(maxRead === 1 ? 5_000 : 2 * BLOCK_BYTES + 5);
    const { chunks } = await send(Object.assign(new FakeFile(content), { maxRead }), [[0, content.length]]);
    expect(Buffer.concat(chunks.map(({ payload }) => payload)).equals(content)).toBe(true);
  });

  test("reads ahead by one block on a slow link, no more", async () => {
    const { sender, body } = sending(new WrittenBody({ isOpen: false }));
    const file = new FakeFile(noise(20 * BLOCK_BYTES));
    const done = sender.send(1, file, [[0, 20 * BLOCK_BYTES]]);
    await settle();
    expect(file.bytesRead).toBe(2 * BLOCK_BYTES);
    body.open();
    await done;
  });

  test("leaves the file to its caller to close", async () => {
    const file = new FakeFile(noise(10));
    await send(file, [[0, 10]]);
    expect(file.closed).toBe(false);
  });
});

describe("FileSender of a file that is not what it was", () => {
  const SIZE = 3 * BLOCK_BYTES;
  const CHANGES: [what: string, position: number, change: (file: FakeFile) => void][] = [
    ["is emptied before the first byte", 0, (file) => file.cutAt(0)],
    ["is cut short in the middle", BLOCK_BYTES, (file) => file.cutAt(BLOCK_BYTES + 300_000)],
    ["loses its last byte", BLOCK_BYTES, (file) => file.cutAt(SIZE - 1)],
    ["is overwritten with as many other bytes", BLOCK_BYTES, (file) => file.replace(noise(SIZE, 2))],
    ["grows, and is another before its end", BLOCK_BYTES, (file) => file.replace(noise(SIZE + 1, 2))],
    ["changes with its last block", 2 * BLOCK_BYTES, (file) => file.replace(file.content)],
  ];

  test.each(CHANGES)("says CHANGED and never SEAL: it %s", async (_, position, change) => {
    const { sender, writer, body } = sending();
    const file = new FakeFile(noise(SIZE));
    file.onRead = (at) => {
      if (at === position) change(file);
      return undefined;
    };
    const fault = await faultOf(() => sender.send(1, file, [[0, SIZE]]));
    expect(fault.code).toBe("CHANGED");
    expect(fault.message).toContain('"docs/a"');
    await writer.flush();
    expect(body.kinds).not.toContain("SEAL");
  });

  const GROWTHS: [what: string, (file: FakeFile, grown: Uint8Array) => void][] = [
    ["one byte is other that was sent already", (_, grown) => void grown.set([1 + (grown[9] as number)], 9)],
    // Between two looks nothing tells a file that was emptied and written anew from one that grew.
    ["it was emptied and has become as long with other bytes", (_, grown) => grown.set(noise(SIZE, 2))],
    ["it is emptied when it is looked at again", (file) => void queueMicrotask(() => file.cutAt(0))],
  ];
  test.each(GROWTHS)("says CHANGED of a file that grows, when %s", async (_, change) => {
    const { sender, writer, body } = sending();
    const file = new FakeFile(noise(SIZE));
    file.onRead = (at) => {
      if (at !== 2 * BLOCK_BYTES || file.etag !== "etag-1") return undefined;
      const grown = Buffer.concat([noise(SIZE), noise(5)]);
      file.replace(grown);
      change(file, grown);
      return undefined;
    };
    expect(await codeOf(() => sender.send(1, file, [[0, SIZE]]))).toBe("CHANGED");
    await writer.flush();
    expect(body.kinds).not.toContain("SEAL");
  });

  test.each([0, 1, 2])("sends a file that grows from block %i on as it was at first", async (block) => {
    const { sender, writer, body } = sending();
    const content = noise(SIZE);
    const file = new FakeFile(content);
    file.onRead = (at) => {
      if (at >= block * BLOCK_BYTES) file.replace(Buffer.concat([file.content, noise(7)]));
      return undefined;
    };
    await sender.send(1, file, [[0, SIZE]]);
    await writer.flush();
    expect(body.kinds).toBe("BLOCK BLOCK BLOCK SEAL");
    expect(Buffer.concat(body.chunks.map(({ payload }) => payload)).equals(content)).toBe(true);
  });

  test("says CHANGED of a part of a file that grows: nobody knows what the rest is", async () => {
    const { sender } = sending();
    const file = new FakeFile(noise(SIZE));
    file.replace(Buffer.concat([file.content, noise(7)]));
    expect(await codeOf(() => sender.send(1, file, [[0, BLOCK_BYTES]]))).toBe("CHANGED");
  });

  test("reads a file that has grown no further when nobody takes it any more", async () => {
    const { sender, body } = sending();
    const file = new FakeFile(noise(SIZE));
    file.onRead = (at) => {
      if (at === 2 * BLOCK_BYTES) body.isClosed = true;
      if (at === 0) file.replace(Buffer.concat([file.content, noise(7)]));
      return undefined;
    };
    await sender.send(1, file, [[0, SIZE]]).catch(() => {});
    expect(file.bytesRead).toBe(SIZE + BLOCK_BYTES);
  });

  test.each([0, 100])("says CHANGED for a file of %i bytes that changed before it was read", async (size) => {
    const { sender, writer, body } = sending();
    const file = new FakeFile(noise(size));
    file.replace(noise(size, 2));
    expect(await codeOf(() => sender.send(1, file, [[0, size]]))).toBe("CHANGED");
    await writer.flush();
    expect(body.kinds).toBe("");
  });

  test("says CHANGED for a changed file even when no range of it is wanted any more", async () => {
    const { sender, writer, body } = sending();
    const file = new FakeFile(noise(100));
    file.replace(noise(100, 2));
    await sender.send(1, file, []).catch(() => {});
    await writer.flush();
    expect(body.kinds).not.toContain("SEAL");
  });

  test("fails as its file does when that can't be read any more", async () => {
    const { sender, writer, body } = sending();
    const file = new FakeFile(noise(SIZE));
    const failure = new StorageError("INTERNAL", "The disk is gone.");
    file.onRead = (at) => {
      if (at >= BLOCK_BYTES) throw failure;
      return undefined;
    };
    expect(await faultOf(() => sender.send(1, file, [[0, SIZE]]))).toBe(failure);
    await writer.flush();
    expect(body.kinds).not.toContain("SEAL");
  });

  test("fails and reads no more when the stream is gone", async () => {
    const { sender, body } = sending(new WrittenBody({ isOpen: false }));
    const file = new FakeFile(noise(20 * BLOCK_BYTES));
    const failure = new StorageError("CANCELLED", "No more is wanted.");
    const done = watch(sender.send(1, file, [[0, 20 * BLOCK_BYTES]]));
    await settle();
    body.fail(failure);
    await settle();
    expect(done.error).toBe(failure);
    expect(file.bytesRead).toBeLessThanOrEqual(2 * BLOCK_BYTES);
  });

  // The first file's block still waits for the link when its second can't be read: its buffer is not free yet.
  test.each([
    ["a large block", BLOCK_BYTES],
    ["a block of another length", 200_000],
    ["a small block", 1_000],
  ])("spoils nothing that is still on its way when the next file is sent: %s", async (_, next) => {
    const { sender, writer, body } = sending(new WrittenBody({ isOpen: false }));
    const file = new FakeFile(noise(SIZE));
    file.onRead = (at) => {
      if (at === BLOCK_BYTES) file.replace(noise(SIZE, 2));
      return undefined;
    };
    const all = (async () => {
      expect(await codeOf(() => sender.send(1, file, [[0, SIZE]]))).toBe("CHANGED");
      await writer.json(ChunkKind.FAIL, 1, {});
      await writer.json(ChunkKind.FILE, 2, {});
      await sender.send(2, new FakeFile(noise(next, 3)), [[0, next]]);
      await writer.flush();
    })();
    await settle();
    body.open();
    await all;
    expect(body.kinds).toBe("BLOCK FAIL FILE BLOCK SEAL");
    expect(body.chunks.map(({ id, intact }) => `${id} ${intact}`)).toEqual(
      ["1 true", "1 true", "2 true", "2 true", "2 true"], //
    );
    expect(body.chunks[3]?.payload.equals(noise(next, 3))).toBe(true);
  });
});
