import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { StorageError } from "../../../lib/errors.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import { chunk } from "../../support/chunks.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";
import { PutPair } from "../../support/put-pair.ts";
import { readWhole, walk } from "../../support/repository.ts";
import { blocksOf, factsOf } from "../../support/storing.ts";
import { noise } from "../../support/transport-recorder.ts";

const LARGE = noise(2 * BLOCK_BYTES + 9);
const SMALL = noise(1_000);

const file = (id: number, path: string, content: Uint8Array, changes: Record<string, unknown> = {}) =>
  chunk("FILE", id, { path, exists: "fail", ...factsOf(content), ...changes });
const blocks = (id: number, content: Uint8Array, ranges = [[0, content.length] as const]) =>
  blocksOf(content, ranges).map(({ offset, bytes }) => chunk("BLOCK", id, bytes, { offset }));
const whole = (id: number, path: string, content: Uint8Array, changes: Record<string, unknown> = {}) =>
  Buffer.concat([file(id, path, content, changes), ...blocks(id, content), chunk("SEAL", id)]);

describe("PutReceiver", () => {
  test("stores small files that come at once, with their folders, and answers each", async () => {
    const pair = await PutPair.open();
    await pair.send(
      whole(1, "docs/a", SMALL),
      whole(2, "docs/b", noise(0)),
      whole(0xffff_ffff, "c", noise(BLOCK_BYTES)),
    );
    expect(await pair.end()).toBeUndefined();
    const done = { state: "done", outcome: "stored" };
    expect(pair.answers.sort((a, b) => a.id - b.id)).toEqual([
      { id: 1, path: "docs/a", ...done },
      { id: 2, path: "docs/b", ...done },
      { id: 0xffff_ffff, path: "c", ...done },
    ]);
    expect((await readWhole(pair.storage, "docs/a")).equals(SMALL)).toBe(true);
    expect((await readWhole(pair.storage, "c")).equals(noise(BLOCK_BYTES))).toBe(true);
    expect(await pair.storage.stat("docs/a")).toMatchObject({ modifiedAt: factsOf(SMALL).modifiedAt });
    expect(pair.stored.map(([path]) => path).sort()).toEqual(["c", "docs/a", "docs/b"]);
  });

  test("is ready for a large file, and stores it when it has come", async () => {
    const pair = await PutPair.open();
    await pair.send(file(1, "a", LARGE, { executable: true }));
    const { ranges } = await pair.answer(1);
    expect(ranges.reduce((sum: number, [from, to]: [number, number]) => sum + to - from, 0)).toBe(LARGE.length);
    await pair.send(...blocks(1, LARGE).reverse(), chunk("SEAL", 1));
    expect(await pair.answer(1, 2)).toEqual({ id: 1, state: "done", path: "a", outcome: "stored" });
    expect(await pair.end()).toBeUndefined();
    expect((await readWhole(pair.storage, "a")).equals(LARGE)).toBe(true);
    expect((await pair.storage.stat("a")).executable).toBe(true);
  });

  test("makes folders, also those that are there", async () => {
    const pair = await PutPair.open();
    await pair.send(chunk("FOLDER", 1, { path: "a/b" }), chunk("FOLDER", 2, { path: "a/b" }), whole(3, "a/b/c", SMALL));
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.map(({ state }) => state)).toEqual(["done", "done", "done"]);
    expect((await walk(pair.storage)).paths).toEqual(["a", "a/b", "a/b/c"]);
  });

  test("asks again for blocks that came damaged, large and small, and gives up after five times", async () => {
    const pair = await PutPair.open();
    const bad = (id: number, bytes: Uint8Array, offset = 0) => chunk("BLOCK", id, bytes, { offset, digest: 1n });
    await pair.send(file(1, "large", LARGE), file(2, "small", SMALL), bad(2, SMALL), chunk("SEAL", 2));
    await pair.answer(1);
    const [first, , last] = blocks(1, LARGE) as [Buffer, Buffer, Buffer];
    await pair.send(first, bad(1, LARGE.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES), BLOCK_BYTES), last, chunk("SEAL", 1));
    expect((await pair.answer(1, 2)).ranges).toEqual([[BLOCK_BYTES, 2 * BLOCK_BYTES]]);
    expect((await pair.answer(2)).ranges).toEqual([[0, SMALL.length]]);
    for (let round = 2; round <= 5; round++) {
      await pair.send(bad(2, SMALL), chunk("SEAL", 2));
      expect(await pair.answer(2, round)).toMatchObject({ state: "ready" });
    }
    await pair.send(bad(2, SMALL), chunk("SEAL", 2));
    expect(await pair.answer(2, 6)).toMatchObject({ state: "failed", code: "DIGEST_MISMATCH" });
    await pair.send(blocks(1, LARGE)[1] as Buffer, chunk("SEAL", 1));
    expect(await pair.end()).toBeUndefined();
    expect((await walk(pair.storage)).paths).toEqual(["large"]);
    expect((await readWhole(pair.storage, "large")).equals(LARGE)).toBe(true);
  });

  test("says what is there: unchanged, skipped, EXISTS; replaces and renames", async () => {
    const pair = await PutPair.open();
    const { modifiedAt } = factsOf(SMALL);
    for (const name of ["skip", "fail", "overwrite", "rename"]) pair.storage.set(name, noise(5), 1);
    pair.storage.set("same", SMALL, modifiedAt);
    const names = ["same", "skip", "fail", "overwrite", "rename"];
    for (const [id, name] of names.entries()) {
      await pair.send(whole(id, name, SMALL, { exists: name === "same" ? "fail" : name }));
    }
    expect(await pair.end()).toBeUndefined();
    pair.answers.sort((a, b) => a.id - b.id);
    expect(pair.answers).toEqual([
      { id: 0, state: "done", path: "same", outcome: "unchanged" },
      { id: 1, state: "done", path: "skip", outcome: "skipped" },
      { id: 2, state: "failed", code: "EXISTS", message: expect.any(String) },
      { id: 3, state: "done", path: "overwrite", outcome: "stored" },
      { id: 4, state: "done", path: "rename (2)", outcome: "stored" },
    ]);
    expect((await readWhole(pair.storage, "skip")).equals(noise(5))).toBe(true);
  });

  test("keeps what was verified when the link is lost, and asks for the rest alone", async () => {
    const storage = new MemoryStorage();
    const first = await PutPair.open(storage);
    await first.send(file(1, "a", LARGE));
    await first.answer(1);
    await first.send(blocks(1, LARGE)[1] as Buffer);
    await settle();
    first.client.session.terminate("LOST", "gone");
    expect(await first.ended).toBeDefined();
    const second = await PutPair.open(storage);
    await second.send(file(9, "a", LARGE));
    expect((await second.answer(9)).ranges).toEqual([
      [0, BLOCK_BYTES],
      [2 * BLOCK_BYTES, LARGE.length],
    ]);
    const [one, , three] = blocks(9, LARGE) as [Buffer, Buffer, Buffer];
    await second.send(one, three, chunk("SEAL", 9));
    expect(await second.end()).toBeUndefined();
    expect((await readWhole(storage, "a")).equals(LARGE)).toBe(true);
  });

  test("forgets a file that FAILs, does not answer that, and keeps nothing of it", async () => {
    const pair = await PutPair.open();
    await pair.send(
      file(1, "large", LARGE),
      file(2, "small", SMALL),
      ...blocks(2, SMALL),
      chunk("FAIL", 2, { code: 40, message: "" }),
    );
    await pair.answer(1);
    await pair.send(
      blocks(1, LARGE)[0] as Buffer,
      chunk("FAIL", 1, { code: 40, message: "changed" }),
      chunk("SEAL", 1),
    );
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.map(({ id, state }) => `${id} ${state}`)).toEqual(["1 ready"]);
    expect((await walk(pair.storage)).paths).toEqual([]);
    expect(await pair.storage.place("large", factsOf(LARGE), "fail")).toEqual({ outcome: "vacant", path: "large" });
  });

  const late = (id: number) => [...blocks(id, SMALL), chunk("SEAL", id), chunk("FAIL", id, { code: 0, message: "" })];

  test("ignores what comes for a file that is over, for a folder, and for a number that was left out", async () => {
    const pair = await PutPair.open();
    await pair.send(whole(1, "a", SMALL), whole(3, "../a", SMALL), chunk("FOLDER", 5, { path: "docs" }));
    for (const id of [0, 1, 2, 3, 5]) await pair.send(...late(id));
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(["1 done", "3 failed", "5 done"]);
    expect((await readWhole(pair.storage, "a")).equals(SMALL)).toBe(true);
  });

  /** Send chunks behind a file that is under way; returns the code with which the stream ends. */
  async function endOf(...behind: Buffer[]): Promise<unknown> {
    const pair = await PutPair.open();
    await pair.send(file(5, "under way", LARGE));
    await pair.answer(5);
    await pair.send(blocks(5, LARGE)[0] as Buffer, ...behind);
    void pair.sending.end().catch(() => {});
    const ended = await pair.ended;
    expect((await walk(pair.storage)).paths).toEqual([]);
    const part = await pair.storage.receive("under way", factsOf(LARGE), "fail");
    expect(part.present).toBe(BLOCK_BYTES);
    return ended?.code;
  }

  test.each([0, 1, 2])(
    "ends the stream at a %i. chunk of a file that was never begun: block, seal, failure",
    async (at) => {
      expect(await endOf(late(6)[at] as Buffer)).toBe("BAD_PAYLOAD");
    },
  );

  test.each([
    ["a file whose number is in use", file(5, "b", SMALL)],
    ["a large file whose number is in use", file(5, "b", LARGE)],
    ["a file whose number is below one before", file(4, "b", SMALL)],
    ["a folder whose number is in use", chunk("FOLDER", 5, { path: "docs" })],
    ["a failure without a message", chunk("FAIL", 5, { code: 40 })],
    ["a failure that is no JSON", chunk("FAIL", 5, Buffer.from("40"))],
    ["a file without an etag", file(6, "b", SMALL, { etag: undefined })],
    ["a file without its right to run", file(6, "b", SMALL, { executable: undefined })],
    ["a file of a time before 1970", file(6, "b", SMALL, { modifiedAt: -1 })],
    ["a file that names its path twice", chunk("FILE", 6, Buffer.from('{"path":"b","path":"c"}'))],
  ])("ends the stream at %s, and keeps what was verified of the others", async (_, bad) => {
    expect(await endOf(bad)).toBe("BAD_PAYLOAD");
  });

  test("ends the stream at the number of a file that is over", async () => {
    const pair = await PutPair.open();
    await pair.send(whole(1, "a", SMALL));
    await pair.answer(1);
    await pair.send(whole(1, "b", SMALL));
    void pair.sending.end().catch(() => {});
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
    expect((await walk(pair.storage)).paths).toEqual(["a"]);
  });

  test("stores and answers no file whose SEAL does not come, and keeps what was verified of a large one", async () => {
    const pair = await PutPair.open();
    await pair.send(file(1, "small", SMALL), ...blocks(1, SMALL), file(2, "empty", noise(0)), file(3, "large", LARGE));
    await pair.answer(3);
    await pair.send(...blocks(3, LARGE).slice(0, 2));
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.map(({ id, state }) => `${id} ${state}`)).toEqual(["3 ready"]);
    expect((await walk(pair.storage)).paths).toEqual([]);
    const part = await pair.storage.receive("large", factsOf(LARGE), "fail");
    expect(part.missing).toEqual([[2 * BLOCK_BYTES, LARGE.length]]);
  });

  test("stores an empty file at its SEAL, and is ready for what a SEAL without blocks misses", async () => {
    const pair = await PutPair.open();
    await pair.send(
      file(1, "empty", noise(0)),
      chunk("SEAL", 1),
      file(2, "small", SMALL),
      chunk("SEAL", 2),
      file(3, "large", LARGE),
      chunk("SEAL", 3),
    );
    expect(await pair.answer(1)).toMatchObject({ state: "done", path: "empty", outcome: "stored" });
    expect(await pair.answer(2)).toMatchObject({ state: "ready", ranges: [[0, SMALL.length]] });
    expect((await pair.answer(3, 2)).ranges).toEqual([[0, LARGE.length]]);
    await pair.send(...blocks(2, SMALL), ...blocks(3, LARGE), chunk("SEAL", 3), chunk("SEAL", 2));
    expect(await pair.end()).toBeUndefined();
    expect((await walk(pair.storage)).paths).toEqual(["empty", "large", "small"]);
  });

  test("asks for more parts than an answer holds with the last up to the end, and gives nothing up for that", async () => {
    const storage = new MemoryStorage();
    const receive = storage.receive.bind(storage);
    // Every other block is here from another time.
    const missing = Array.from({ length: 1_050 }, (_, at): Range => [2 * at * BLOCK_BYTES, (2 * at + 1) * BLOCK_BYTES]);
    storage.receive = async (...args) => Object.defineProperty(await receive(...args), "missing", { value: missing });
    const pair = await PutPair.open(storage);
    await pair.send(file(1, "a", LARGE));
    const { ranges } = await pair.answer(1);
    expect(ranges).toHaveLength(1_000);
    expect(ranges.slice(0, 2)).toEqual([
      [0, BLOCK_BYTES],
      [2 * BLOCK_BYTES, 3 * BLOCK_BYTES],
    ]);
    expect(ranges.at(-1)).toEqual([1_998 * BLOCK_BYTES, 2_099 * BLOCK_BYTES]);
    await pair.send(chunk("FAIL", 1, { code: 38, message: "" }));
    expect(await pair.end()).toBeUndefined();
  });

  test.each([
    ["BAD_PATH", "../a"],
    ["BAD_PATH", ""],
    ["BAD_PATH", "/etc/passwd"],
    ["BAD_PATH", "a\u0000b"],
  ])("answers %s for a file and a folder of the path %j, and goes on", async (code, path) => {
    const pair = await PutPair.open();
    await pair.send(whole(1, path, SMALL), chunk("FOLDER", 2, { path }), whole(3, "good", SMALL));
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.filter(({ state }) => state === "failed").map(({ id, code: got }) => `${id} ${got}`)).toEqual(
      [`1 ${code}`, `2 ${code}`], //
    );
    expect((await walk(pair.storage)).paths).toEqual(["good"]);
  });

  test.each([
    ["a small file", SMALL, 0],
    ["a large file", LARGE, 0],
    ["a large file, behind its end", LARGE, 5 * BLOCK_BYTES],
  ])("does not go on after a block that is none of %s, and stores nothing of it", async (_, content, offset) => {
    const pair = await PutPair.open();
    await pair.send(file(1, "a", content), chunk("BLOCK", 1, noise(5), { offset }), chunk("SEAL", 1));
    void pair.sending.end().catch(() => {});
    expect((await pair.ended)?.code).toBe("BAD_PAYLOAD");
    expect((await walk(pair.storage)).paths).toEqual([]);
    await (await pair.storage.receive("a", factsOf(LARGE), "fail")).discard();
  });

  test.each([
    ["DIGEST_MISMATCH", chunk("FILE", 1, { path: "a" }, { digest: 5n })],
    ["BAD_PAYLOAD", chunk(9, 1)],
    ["BAD_PAYLOAD", chunk("SEAL", 1).subarray(0, 10)],
  ])("ends the stream with %s for a chunk that breaks the rules, and keeps what was verified", async (code, bad) => {
    const pair = await PutPair.open();
    await pair.send(file(1, "a", LARGE));
    await pair.answer(1);
    await pair.send(blocks(1, LARGE)[0] as Buffer, bad);
    void pair.sending.end().catch(() => {});
    expect((await pair.ended)?.code as string).toBe(code);
    const part = await pair.storage.receive("a", factsOf(LARGE), "fail");
    expect(part.present).toBe(BLOCK_BYTES);
  });

  test("takes 8 large files at once, and says TOO_MANY_STREAMS to the ninth; the others go on", async () => {
    const pair = await PutPair.open();
    for (let id = 0; id < 9; id++) await pair.send(file(id, `file-${id}`, LARGE));
    expect(await pair.answer(8)).toMatchObject({ state: "failed", code: "TOO_MANY_STREAMS" });
    for (let id = 0; id < 8; id++) {
      for (const one of [...blocks(id, LARGE), chunk("SEAL", id)]) await pair.send(one);
    }
    expect(await pair.end()).toBeUndefined();
    expect((await walk(pair.storage)).paths).toHaveLength(8);
  });

  test("does not hold more than it must of a sender that ends none of its small files", async () => {
    const pair = await PutPair.open();
    for (let id = 0; id < 100; id++) await pair.send(file(id, `file-${id}`, SMALL), ...blocks(id, SMALL));
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers.filter(({ code }) => code === "TOO_MANY_STREAMS").length).toBeGreaterThan(0);
    expect((await walk(pair.storage)).paths).toEqual([]);
  });

  test("reports a failure of the disk, for large and small files, and continues with the others", async () => {
    const storage = new MemoryStorage();
    const full = async (): Promise<never> => {
      throw new StorageError("NO_SPACE", "No room.");
    };
    const receive = storage.receive.bind(storage);
    storage.receive = async (...args) => Object.assign(await receive(...args), { write: full });
    const store = storage.store.bind(storage);
    storage.store = (path, ...rest) => (path === "small" ? full() : store(path, ...rest));
    const pair = await PutPair.open(storage);
    await pair.send(file(1, "large", LARGE), whole(2, "small", SMALL), whole(3, "good", SMALL));
    await pair.answer(1);
    await pair.send(...blocks(1, LARGE), chunk("SEAL", 1));
    expect(await pair.end()).toBeUndefined();
    expect(
      pair.answers
        .filter(({ state }) => state === "failed")
        .map(({ id, code }) => `${id} ${code}`)
        .sort(),
    ).toEqual(
      ["1 NO_SPACE", "2 NO_SPACE"], //
    );
    expect(await codeOf(() => storage.stat("large"))).toBe("NOT_FOUND");
    expect((await readWhole(storage, "good")).equals(SMALL)).toBe(true);
  });
});
