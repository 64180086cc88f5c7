/** Patches in a `put`, chunk by chunk, written from PROTOCOL.md. */
import { describe, expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import { blockTag } from "../../../lib/storage/local/block-tag.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type { OpenFile } from "../../../lib/storage/storage.ts";
import { chunk } from "../../support/chunks.ts";
import { PutPair } from "../../support/put-pair.ts";
import { readWhole } from "../../support/repository.ts";
import { factsOf } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const BLOCK = 1_048_576;
const PIECE = 16_384;
const OLD = noise(2 * BLOCK + 9, 4);
const NEW = Buffer.from(OLD);
NEW.write("new", 3 * PIECE);

/** A disk that counts the bytes that are read, and fails to read when the test wants. */
class CountedStorage extends MemoryStorage {
  bytesRead = 0;
  failsToRead = false;
  /** Files that are open. */
  opened = 0;

  override async open(path: string): Promise<OpenFile> {
    const file = await super.open(path);
    this.opened++;
    return {
      ...file,
      read: async (buffer, position) => {
        if (this.failsToRead) throw new Error("The disk says no.");
        this.bytesRead += buffer.length;
        return file.read(buffer, position);
      },
      close: async () => {
        this.opened--;
        await file.close();
      },
    };
  }
}

async function pairWith(old: Uint8Array) {
  const storage = new CountedStorage();
  storage.set("a", old, 5);
  return PutPair.open(storage, { blockTag });
}

const file = (id: number, content: Uint8Array, changes: object = {}) =>
  chunk("FILE", id, { path: "a", exists: "overwrite", older: "a", ...factsOf(content), ...changes });

/** The PATCH of a block, with these of its pieces. */
function patch(id: number, number: number, pieces: number[], key: string, content: Uint8Array = NEW, tag?: Buffer) {
  const block = content.subarray(number * BLOCK, (number + 1) * BLOCK);
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  const cipher = createCipheriv("aes-128-gcm", Buffer.from(key, "base64"), nonce);
  cipher.setAAD(block);
  cipher.final();
  const mask = Buffer.alloc(8);
  mask.writeBigUInt64BE(pieces.reduce((sum, piece) => sum | (1n << BigInt(piece)), 0n));
  const bytes = pieces.map((piece) => block.subarray(piece * PIECE, (piece + 1) * PIECE));
  return chunk("PATCH", id, Buffer.concat([...bytes, mask, tag ?? cipher.getAuthTag()]), { offset: number * BLOCK });
}

const blockOf = (id: number, number: number, content: Uint8Array = NEW) =>
  chunk("BLOCK", id, content.subarray(number * BLOCK, (number + 1) * BLOCK), { offset: number * BLOCK });

describe("a put onto an older state", () => {
  test("is offered its pieces, completes the blocks from it, and asks for the rest", async () => {
    const pair = await pairWith(OLD);
    const grown = Buffer.concat([NEW, noise(BLOCK, 7)]);
    await pair.send(file(1, grown));
    const { state, offset, key, pieces } = await pair.answer(1);
    expect([state, offset, Buffer.from(key, "base64").length]).toEqual(["pieces", 0, 16]);
    const digests = Buffer.from(pieces, "base64");
    expect(digests.length).toBe(4 * 129);
    expect(digests.readUInt32BE(4 * 65)).toBe(
      Number(Bun.hash.xxHash3(OLD.subarray(BLOCK + PIECE, BLOCK + 2 * PIECE), 1n) & 0xffff_ffffn),
    );
    const end = patch(1, 2, [0], key, grown);
    await pair.send(patch(1, 0, [3], key), patch(1, 1, [], key), end);
    expect(await pair.answer(1, 2)).toMatchObject({ state: "ready", ranges: [[2 * BLOCK, grown.length]] });
    await pair.send(blockOf(1, 2, grown), blockOf(1, 3, grown), chunk("SEAL", 1));
    expect(await pair.answer(1, 3)).toMatchObject({ state: "done", outcome: "stored" });
    expect(await pair.end()).toBeUndefined();
    expect((await readWhole(pair.storage, "a")).equals(grown)).toBe(true);
    expect(pair.storage.opened).toBe(0);
  });

  test("takes whole blocks in the place of patches", async () => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    const { key } = await pair.answer(1);
    await pair.send(blockOf(1, 0), patch(1, 1, [], key), blockOf(1, 2));
    expect(await pair.answer(1, 2)).toMatchObject({ state: "ready", ranges: [] });
    await pair.send(chunk("SEAL", 1));
    expect(await pair.answer(1, 3)).toMatchObject({ state: "done" });
    expect((await readWhole(pair.storage, "a")).equals(NEW)).toBe(true);
  });

  test.each([
    ["the tag is another's", (key: string) => patch(1, 0, [3], key, NEW, Buffer.alloc(16))],
    ["a changed piece is left out", (key: string) => patch(1, 0, [], key)],
    ["it is under another key", () => patch(1, 0, [3], Buffer.alloc(16).toString("base64"))],
    ["it was damaged on its way", (key: string) => damage(patch(1, 0, [3], key))],
  ])("asks for a whole block when %s", async (_, make) => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    const { key } = await pair.answer(1);
    await pair.send(make(key), patch(1, 1, [], key), blockOf(1, 2));
    expect(await pair.answer(1, 2)).toMatchObject({ state: "ready", ranges: [[0, BLOCK]] });
    await pair.send(blockOf(1, 0), chunk("SEAL", 1));
    expect(await pair.answer(1, 3)).toMatchObject({ state: "done" });
    expect((await readWhole(pair.storage, "a")).equals(NEW)).toBe(true);
  });

  test("reads a block of the older state once, however often its patch comes", async () => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    const { key } = await pair.answer(1);
    const before = pair.storage.bytesRead;
    const again = patch(1, 1, [], key);
    await pair.send(again, again, patch(1, 0, [3], key));
    expect(await pair.answer(1, 2)).toMatchObject({ state: "ready" });
    expect(pair.answers.at(-1).ranges).toEqual([
      [0, BLOCK],
      [2 * BLOCK, NEW.length],
    ]);
    expect(pair.storage.bytesRead - before).toBe(BLOCK);
    await pair.send(again);
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
  });

  test.each([
    ["no pieces and bytes", (key: string) => patchBytes(Buffer.alloc(5), key)],
    ["pieces beyond its block", (key: string) => patch(1, 2, [0, 1], key, Buffer.concat([NEW, noise(BLOCK, 3)]))],
    ["a block beyond its file", (key: string) => patch(1, 3, [], key)],
  ])("ends with BAD_PAYLOAD at a patch of %s", async (_, make) => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    const { key } = await pair.answer(1);
    await pair.send(make(key));
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
    expect((await readWhole(pair.storage, "a")).equals(OLD)).toBe(true);
    expect(pair.storage.opened).toBe(0);
  });

  test("ends with BAD_PAYLOAD at a SEAL before the server is ready", async () => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    await pair.answer(1);
    await pair.send(chunk("SEAL", 1));
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
  });

  test.each([
    ["large", NEW, {}],
    ["large, and it was offered nothing", NEW, { older: "elsewhere" }],
    ["small", NEW.subarray(0, 24), { older: "a" }],
  ])("ends with BAD_PAYLOAD at a patch that nobody can use: the file is %s", async (_, content, changes) => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, content, { older: undefined, ...changes }));
    if (content.length > BLOCK) expect(await pair.answer(1)).toMatchObject({ state: "ready" });
    await pair.send(patch(1, 0, [], Buffer.alloc(16).toString("base64")));
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
  });

  test("offers no more than 64 blocks that have not come, and the next when some have", async () => {
    const long = Buffer.alloc(70 * BLOCK, OLD);
    const pair = await pairWith(long);
    await pair.send(file(1, long, { etag: "etag-2" }));
    const [first, second] = [await pair.answer(1), await pair.answer(1, 2)];
    expect([first.offset, second.offset]).toEqual([0, 32 * BLOCK]);
    const read = pair.storage.bytesRead;
    for (let at = 0; at < 31; at++) await pair.send(patch(1, at, [], first.key, long));
    expect(pair.storage.bytesRead).toBeLessThanOrEqual(read + 31 * BLOCK);
    await pair.send(patch(1, 31, [], first.key, long));
    expect(await pair.answer(1, 3)).toMatchObject({ state: "pieces", offset: 64 * BLOCK, key: first.key });
    expect(pair.answers).toHaveLength(3);
  });

  test("does without an older state that can't be read, or only at first", async () => {
    for (const failsAtOnce of [true, false]) {
      const pair = await pairWith(OLD);
      pair.storage.failsToRead = failsAtOnce;
      await pair.send(file(1, NEW));
      const { state, key } = await pair.answer(1);
      expect(state).toBe(failsAtOnce ? "ready" : "pieces");
      pair.storage.failsToRead = true;
      if (!failsAtOnce) {
        await pair.send(patch(1, 0, [3], key), patch(1, 1, [], key), blockOf(1, 2));
        expect(await pair.answer(1, 2)).toMatchObject({ state: "ready", ranges: [[0, 2 * BLOCK]] });
      }
      await pair.send(blockOf(1, 0), blockOf(1, 1), blockOf(1, 2), chunk("SEAL", 1));
      await pair.end();
      expect(pair.answers.at(-1)).toMatchObject({ state: "done" });
      expect(pair.storage.opened).toBe(0);
    }
  });

  test("leaves the older state when the sender withdraws, or goes", async () => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW), file(2, NEW, { path: "b" }));
    await pair.answer(1);
    await pair.answer(2);
    expect(pair.storage.opened).toBe(2);
    await pair.send(chunk("FAIL", 1, { code: 0, message: "gone" }));
    expect(await pair.end()).toBeUndefined();
    expect(pair.storage.opened).toBe(0);
    expect((await readWhole(pair.storage, "a")).equals(OLD)).toBe(true);
  });

  test("offers only what is missing of a file that is resumed", async () => {
    const pair = await pairWith(OLD);
    await pair.send(file(1, NEW));
    const { key } = await pair.answer(1);
    await pair.send(patch(1, 0, [3], key));
    await pair.end();
    const again = await PutPair.open(pair.storage, { blockTag });
    await again.send(file(1, NEW));
    const next = await again.answer(1);
    expect([next.offset, next.key === key]).toEqual([BLOCK, false]);
    await again.send(patch(1, 1, [], next.key), blockOf(1, 2));
    expect(await again.answer(1, 2)).toMatchObject({ state: "ready", ranges: [] });
    await again.send(chunk("SEAL", 1));
    expect(await again.end()).toBeUndefined();
    expect((await readWhole(pair.storage, "a")).equals(NEW)).toBe(true);
  });
});

/** One byte of the payload has changed. */
function damage(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30);
  return bytes;
}

/** A PATCH of the first block with these bytes, and no piece. */
function patchBytes(bytes: Buffer, key: string): Buffer {
  const end = patch(1, 0, [], key).subarray(24);
  return chunk("PATCH", 1, Buffer.concat([bytes, end]));
}
