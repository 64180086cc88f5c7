import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { StorageError } from "../../../lib/errors.ts";
import { MemoryStorage } from "../../../lib/storage/memory.ts";
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
      chunk("FAIL", 2, { code: 40 }),
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

  test("ignores what comes for a file that it does not know, or has answered", async () => {
    const pair = await PutPair.open();
    const late = [...blocks(1, SMALL), chunk("SEAL", 1), chunk("FAIL", 1, { code: 0, message: "" })];
    await pair.send(...late, whole(1, "a", SMALL), ...late);
    expect(await pair.end()).toBeUndefined();
    expect(pair.answers).toHaveLength(1);
    expect((await readWhole(pair.storage, "a")).equals(SMALL)).toBe(true);
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

  test("tells a failure of the disk, large and small, and goes on with the others", async () => {
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

  test("answers a file whose number is in use with BAD_PARAMS", async () => {
    const pair = await PutPair.open();
    await pair.send(file(1, "a", LARGE), file(1, "b", LARGE));
    expect(await pair.answer(1, 2)).toMatchObject({ state: "failed", code: "BAD_PARAMS" });
    await pair.end();
    expect((await walk(pair.storage)).paths).toEqual([]);
  });
});
