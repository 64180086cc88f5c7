import { describe, expect, test } from "bun:test";
import { StorageError, TransportError } from "../../../lib/errors.ts";
import { ChunkKind } from "../../../lib/protocol/chunk.ts";
import { BlockPool } from "../../../lib/transfer/block-pool.ts";
import { CommitQueue } from "../../../lib/transfer/commit-queue.ts";
import { digestFile } from "../../../lib/transfer/digest-file.ts";
import { Held, PutFiles } from "../../../lib/transfer/put-files.ts";
import { RecordSender } from "../../../lib/transfer/record-sender.ts";
import { SpareBuffers } from "../../../lib/transfer/spare-buffers.ts";
import { Yielder } from "../../../lib/yielder.ts";
import { WrittenBody } from "../../support/chunks.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeFile } from "../../support/fake-file.ts";
import { codeOf, faultOf } from "../../support/fault.ts";
import { watch } from "../../support/outcomes.ts";
import { noise } from "../../support/transport-recorder.ts";

const sha256 = () => new Bun.CryptoHasher("sha256");

describe("Yielder", () => {
  class TurnClock extends FakeClock {
    turns = 0;
    override async turn(): Promise<void> {
      this.turns++;
    }
  }

  test("lets others have their turn when work has gone on for two milliseconds, and not before", async () => {
    const clock = new TurnClock();
    const yielder = new Yielder(clock);
    await yielder.pause();
    await clock.advance(1);
    await yielder.pause();
    expect(clock.turns).toBe(0);
    await clock.advance(1);
    await yielder.pause();
    await yielder.pause();
    expect(clock.turns).toBe(1);
    await clock.advance(2);
    await yielder.pause();
    expect(clock.turns).toBe(2);
  });
});

describe("Yielders of one clock", () => {
  test("go on one in each turn, in the order of their coming, however many there are", async () => {
    const turns: (() => void)[] = [];
    class HeldClock extends FakeClock {
      override turn(): Promise<void> {
        return new Promise((resolve) => turns.push(resolve));
      }
    }
    const clock = new HeldClock();
    const order: number[] = [];
    const runs = Array.from({ length: 5 }, async (_, index) => {
      const yielder = new Yielder(clock);
      await clock.advance(2);
      for (let round = 0; round < 2; round++) {
        await yielder.pause();
        order.push(index);
      }
    });
    for (let turn = 1; turn <= 5; turn++) {
      await settle();
      expect(turns).toHaveLength(turn);
      turns.at(-1)?.();
      await settle();
      expect(order.filter((index, at) => order.indexOf(index) === at)).toHaveLength(turn);
    }
    await Promise.all(runs);
    expect(order).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  });
});

describe("RecordSender", () => {
  test("sends the records of one turn together, in order, by itself", async () => {
    const body = new WrittenBody();
    const records = new RecordSender(body, new FakeClock());
    for (let id = 0; id < 100; id++) records.add({ id });
    await settle();
    records.add({ id: 100 });
    await settle();
    expect(body.writes).toBe(2);
    const lines = body.bytes.toString().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(Array.from({ length: 101 }, (_, id) => id));
  });

  test("sends at once what waits when flush() is called, and nothing twice", async () => {
    const body = new WrittenBody();
    const records = new RecordSender(body, new FakeClock());
    await records.flush();
    records.add({ id: 1 });
    await records.flush();
    expect(body.bytes.toString()).toBe('{"id":1}\n');
    await settle();
    expect(body.writes).toBe(1);
  });

  test("gathers what comes while nothing is taken, and says when that is enough", async () => {
    const body = new WrittenBody({ isOpen: false });
    const records = new RecordSender(body, new FakeClock());
    let added = 0;
    for (; !records.isFull; added++) {
      records.add({ id: added });
      if (added % 10 === 0) await settle();
    }
    expect(added).toBeLessThan(10_000);
    expect(body.memory).toBeLessThan(1_000);
    const flushed = watch(records.flush());
    await settle();
    expect(flushed.state).toBe("pending");
    expect(records.isFull).toBeFalse();
    records.add({ id: added });
    body.open();
    await settle();
    expect(flushed.state).toBe("resolved");
    expect(body.bytes.toString().trimEnd().split("\n")).toHaveLength(added + 1);
  });

  test("fails in flush() as its stream does, and not where nobody listens", async () => {
    const body = new WrittenBody();
    const records = new RecordSender(body, new FakeClock());
    body.fail(new TransportError("LOST", "The link is gone."));
    records.add({ id: 1 });
    await settle();
    records.add({ id: 2 });
    expect((await faultOf(() => records.flush())).code).toBe("LOST");
  });
});

describe("CommitQueue", () => {
  test("runs many commits at once, up to 64, and says when there is room again", async () => {
    const queue = new CommitQueue();
    const gates = Array.from({ length: 64 }, () => Promise.withResolvers<void>());
    const rooms = gates.map(({ promise }) => Promise.resolve(queue.add(promise)));
    await Promise.all(rooms.slice(0, 63));
    const last = watch(rooms[63] as Promise<void>);
    await settle();
    expect([queue.size, last.state]).toEqual([64, "pending"]);
    gates[17]?.resolve();
    await settle();
    expect([queue.size, last.state]).toEqual([63, "resolved"]);
    const all = watch(queue.settled());
    await settle();
    expect(all.state).toBe("pending");
    for (const { resolve } of gates) resolve();
    await settle();
    expect([queue.size, all.state]).toEqual([0, "resolved"]);
  });

  test("is settled when there was nothing, and waits for what came meanwhile", async () => {
    const queue = new CommitQueue();
    await queue.settled();
    const second = Promise.withResolvers<void>();
    const first = Promise.resolve().then(() => void queue.add(second.promise));
    void queue.add(first);
    const all = watch(queue.settled());
    await settle();
    expect(all.state).toBe("pending");
    second.resolve();
    await settle();
    expect(all.state).toBe("resolved");
  });
});

describe("BlockPool", () => {
  test("gives as many buffers as it has, and then those that come back, in the order of asking", async () => {
    const pool = new BlockPool(2);
    const one = await pool.take();
    const two = await pool.take();
    expect(one).not.toBe(two);
    const third = watch(Promise.resolve(pool.take()));
    const fourth = watch(Promise.resolve(pool.take()));
    await settle();
    expect([third.state, fourth.state]).toEqual(["pending", "pending"]);
    pool.give(two);
    pool.give(one);
    await settle();
    expect(third.value).toBe(two);
    expect(fourth.value).toBe(one);
  });
});

describe("digestFile()", () => {
  test.each([0, 1, 524_288, 524_289, 3_000_000])(
    "has the SHA-256 of %i bytes, and tells its progress",
    async (size) => {
      const content = noise(size);
      let told = 0;
      const file = new FakeFile(content);
      const digest = await digestFile(file, sha256(), (bytes) => {
        told += bytes;
      });
      expect(digest).toBe(sha256().update(content).digest("hex"));
      expect(told).toBe(size);
      expect(file.closed).toBe(false);
    },
  );

  test("has it also when reads give little", async () => {
    const content = noise(100_000);
    const file = Object.assign(new FakeFile(content), { maxRead: 999 });
    expect(await digestFile(file, sha256())).toBe(sha256().update(content).digest("hex"));
  });

  test("is CHANGED when the file changes meanwhile", async () => {
    const file = new FakeFile(noise(2_000_000));
    file.onRead = (position) => {
      if (position > 0) file.etag = "etag-2";
      return undefined;
    };
    expect(await codeOf(() => digestFile(file, sha256()))).toBe("CHANGED");
  });

  test("is CHANGED when the file grows meanwhile", async () => {
    const file = new FakeFile(noise(2_000_000));
    file.onRead = (position) => {
      if (position === 524_288) file.replace(noise(2_000_001));
      return undefined;
    };
    expect(await codeOf(() => digestFile(file, sha256()))).toBe("CHANGED");
  });

  test("is CHANGED at once when the file grows as fast as it is read, and would never end", async () => {
    const file = new FakeFile(noise(1_000));
    let reads = 0;
    file.onRead = () => {
      if (++reads > 100) throw new Error("It is read on and on.");
      file.replace(noise(file.content.length + 1_000));
      return undefined;
    };
    expect(await codeOf(() => digestFile(file, sha256()))).toBe("CHANGED");
    expect(file.bytesRead).toBeLessThan(5_000);
  });

  test("fails as its file does", async () => {
    const failure = new StorageError("INTERNAL", "The disk is gone.");
    const file = new FakeFile(noise(2_000_000));
    file.onRead = (position) => {
      if (position > 600_000) throw failure;
      return undefined;
    };
    expect(await faultOf(() => digestFile(file, sha256()))).toBe(failure);
  });
});

describe("SpareBuffers", () => {
  test("keep a limited number for the next user; the memory of the others is freed at once", () => {
    const spare = new SpareBuffers(1);
    const buffers = [spare.take(), spare.take()];
    const [kept, other] = buffers as [Uint8Array, Uint8Array];
    for (const buffer of buffers) spare.give(buffer);
    expect([kept.length > 0, other.length]).toEqual([true, 0]);
    expect(spare.take()).toBe(kept);
  });
});

describe("PutFiles", () => {
  test("keep nothing in memory of small files that are left to another time", async () => {
    const files = new PutFiles(100_000);
    const facts = { size: 50_000, modifiedAt: 1, executable: false, etag: "1" };
    const held = new Held("a", facts, "fail");
    files.add(0, held);
    const payload = noise(50_000);
    const header = { kind: ChunkKind.BLOCK, length: 50_000, id: 0, offset: 0, digest: 0n };
    files.take(held, { ...header, payload, room: payload, intact: true, isLent: true, release() {} });
    const { bytes } = held;
    await files.keep();
    expect([bytes?.length, held.bytes]).toEqual([0, undefined]);
  });
});
