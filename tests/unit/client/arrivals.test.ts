/** What becomes of the files of a download when their disk, or the server, does not do what it should. */
import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { Arrivals } from "../../../lib/client/arrivals.ts";
import type { DownloadOptions } from "../../../lib/client/download-options.ts";
import { type DownloadTask, newTask } from "../../../lib/client/download-task.ts";
import { MAX_OUTSTANDING_BYTES, MAX_OVERLOADS, MAX_RESTARTS } from "../../../lib/client/transfer.ts";
import { RemoteError, StorageError } from "../../../lib/errors.ts";
import { ChunkKind } from "../../../lib/protocol/chunk.ts";
import { systemClock } from "../../../lib/session/clock.ts";
import { digest64 } from "../../../lib/storage/digest64.ts";
import type { FileFacts, PartFile } from "../../../lib/storage/storage.ts";
import type { Chunk } from "../../../lib/transfer/chunk-reader.ts";
import { CommitQueue } from "../../../lib/transfer/commit-queue.ts";
import { GivenNames } from "../../../lib/transfer/given-names.ts";
import { Naming } from "../../../lib/transfer/naming.ts";
import { settle } from "../../support/fake-clock.ts";
import { codeOf } from "../../support/fault.ts";
import { codeOf as outcomeOf, watch } from "../../support/outcomes.ts";

const LARGE = 3 * BLOCK_BYTES;
const factsOf = (size: number, etag = "e") => ({ size, modifiedAt: 7, executable: false, etag });

function taskOf(to: string, size: number): DownloadTask {
  return newTask({ from: to, to, kind: "file", size, modifiedAt: 7 }, to);
}

/** The block of a file at `offset`, and how often its buffer was given back. */
function blockAt(offset: number, length = BLOCK_BYTES) {
  const state = { released: 0 };
  const release = () => void state.released++;
  const facts = { kind: ChunkKind.BLOCK, offset, length, payload: new Uint8Array(length), digest: 0n };
  const chunk = { ...facts, intact: true, isLent: true, release };
  return { chunk: chunk as unknown as Chunk, state };
}

/** Arrivals, and all that is told of them, and done on the disk, in one list. */
function site(exists: DownloadOptions["exists"] = "overwrite") {
  const told: string[] = [];
  const over: string[] = [];
  let progress = 0;
  /** What the disk does, step by step. */
  const disk = {
    receive: async () => {},
    write: async () => {},
    commit: async () => {},
    /** Whether a small file is stored at once. */
    store: () => false,
    keep: async () => {},
    discard: async () => {},
    hasOwnName: true,
  };
  const partOf = (path: string, facts: FileFacts): PartFile => {
    let present = 0;
    return {
      path,
      facts,
      get missing() {
        return present < facts.size ? ([[present, facts.size]] as const) : [];
      },
      get present() {
        return present;
      },
      async write(_, bytes) {
        await disk.write();
        present += bytes.length;
        return true;
      },
      async commit() {
        await disk.commit();
        return path;
      },
      async keep() {
        await disk.keep();
        told.push(`kept ${path}`);
      },
      async discard() {
        await disk.discard();
        told.push(`discarded ${path}`);
      },
    };
  };
  const local: Pick<DownloadOptions["local"], "receive" | "store" | "hasOwnName"> = {
    async receive(path, facts) {
      await disk.receive();
      return partOf(path, facts);
    },
    store(path) {
      const stored = disk.store();
      return stored ? path : disk.commit().then(() => path);
    },
    hasOwnName: async () => disk.hasOwnName,
  };
  const options: DownloadOptions = {
    local: local as DownloadOptions["local"],
    exists,
    clock: systemClock,
    digest64,
    onStart: ({ to }, present, size) => told.push(`started ${to} ${present} of ${size}`),
    onProgress: (_, bytes) => {
      progress += bytes;
    },
    onRestart: ({ to }) => told.push(`restarted ${to}`),
    onDone: ({ to }, outcome, path, size) => told.push(`${outcome} ${to} at ${path} ${size}`),
    onFailed: ({ to }, { code }) => told.push(`failed ${to} ${code}`),
  };
  const commits = new CommitQueue();
  const naming = new Naming(new GivenNames(), options.local, () => commits.settled());
  const arrivals = new Arrivals(options, commits, naming, {
    askAgain: ({ item, ranges }, delayMs) =>
      told.push(`again ${item.to} ${JSON.stringify(ranges)}${delayMs === undefined ? "" : ` in ${delayMs} ms`}`),
    stop: ({ code }) => told.push(`stopped ${code}`),
    leaveStream: () => told.push("left the stream"),
    onOver: ({ item }) => over.push(item.to),
  });
  return { arrivals, disk, told, over, progress: () => progress };
}

/** Until `go()`, what is waited for does not happen. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { step: () => promise, go: () => resolve() };
}

const fails = (code: ConstructorParameters<typeof StorageError>[0]) => async () => {
  throw new StorageError(code, "The disk says no.");
};

const refusal = (code: ConstructorParameters<typeof RemoteError>[0]) => new RemoteError(code, "The server says no.");

describe("a large file", () => {
  test("that its disk finds too large is removed once no block of it is being written, and its stream is left", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    const slow = gate();
    disk.write = slow.step;
    arrivals.block(task, blockAt(0).chunk);
    disk.write = fails("TOO_LARGE");
    arrivals.block(task, blockAt(BLOCK_BYTES).chunk);
    await settle();
    const last = blockAt(2 * BLOCK_BYTES);
    const done = arrivals.block(task, last.chunk);
    await settle();
    expect([told.length, last.state.released]).toEqual([1, 1]);
    slow.go();
    await done;
    expect(told).toEqual(["started a 0 of 3145728", "discarded a", "failed a TOO_LARGE", "left the stream"]);
    // What still comes of it only gives its buffer back.
    const more = blockAt(0);
    expect(arrivals.block(task, more.chunk)).toBeUndefined();
    expect(more.state.released).toBe(1);
  });

  test("that its disk finds too large with its last block is removed, and the stream goes on", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    disk.write = fails("TOO_LARGE");
    arrivals.block(task, blockAt(0).chunk);
    await arrivals.settle(task);
    expect(told.slice(1)).toEqual(["discarded a", "failed a TOO_LARGE"]);
  });

  test("is stored, with its size of now, when all of it has come; what was damaged is asked for again", async () => {
    const { arrivals, told, over, progress } = site();
    const task = { ...taskOf("a", 5), isOld: true };
    await arrivals.begin(task, factsOf(LARGE));
    expect(task).toMatchObject({ etag: "e", isOld: false });
    for (const at of [0, 1]) arrivals.block(task, blockAt(at * BLOCK_BYTES).chunk);
    arrivals.block(task, { ...blockAt(2 * BLOCK_BYTES).chunk, intact: false });
    await arrivals.settle(task);
    expect([told.slice(1), progress(), over]).toEqual([
      [`again a [[${2 * BLOCK_BYTES},${LARGE}]]`],
      2 * BLOCK_BYTES,
      [],
    ]);
    arrivals.block(task, blockAt(2 * BLOCK_BYTES).chunk);
    await arrivals.settle(task);
    await arrivals.commits.settled();
    expect(told.slice(2)).toEqual([`stored a at a ${LARGE}`]);
    expect([task.isOver, over, progress()]).toEqual([true, ["a"], LARGE]);
  });

  test("that can't be stored is received to its end if it is no burden, else it fails and its stream is left", async () => {
    const { arrivals, disk, told } = site();
    disk.receive = fails("NOT_ALLOWED");
    const [bearable, huge] = [taskOf("a", MAX_OUTSTANDING_BYTES), taskOf("b", MAX_OUTSTANDING_BYTES + 1)];
    await arrivals.begin(bearable, factsOf(MAX_OUTSTANDING_BYTES));
    expect(told).toEqual([]);
    const { chunk, state } = blockAt(0);
    arrivals.block(bearable, chunk);
    expect(state.released).toBe(1);
    await arrivals.settle(bearable);
    await arrivals.begin(huge, factsOf(MAX_OUTSTANDING_BYTES + 1));
    await arrivals.interrupt(huge);
    expect(told).toEqual(["failed a NOT_ALLOWED", "failed b NOT_ALLOWED", "left the stream"]);
  });

  test("whose disk is full stays as it is for the next run, which is told", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    arrivals.block(task, blockAt(0).chunk);
    await settle();
    disk.write = fails("DISK_FULL");
    arrivals.block(task, blockAt(BLOCK_BYTES).chunk);
    await settle();
    expect(await codeOf(() => arrivals.block(task, blockAt(2 * BLOCK_BYTES).chunk))).toBe("DISK_FULL");
    const slow = gate();
    disk.keep = slow.step;
    const ended = watch(Promise.resolve(arrivals.settle(task)));
    await settle();
    expect(ended.state).toBe("pending");
    slow.go();
    await settle();
    expect(outcomeOf(ended)).toBe("DISK_FULL");
    expect(told.slice(1)).toEqual(["kept a", `again a [[${BLOCK_BYTES},${LARGE}]]`]);
    expect(task.receiver).toBeUndefined();
  });

  test("whose name finds no room on the disk stops the run, and asks for nothing but its name", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    for (const at of [0, 1, 2]) arrivals.block(task, blockAt(at * BLOCK_BYTES).chunk);
    disk.commit = fails("DISK_FULL");
    await arrivals.settle(task);
    await arrivals.commits.settled();
    expect(told.slice(1)).toEqual(["again a []", "stopped DISK_FULL"]);
    expect(task.receiver).toBeUndefined();
  });

  test("whose link is lost asks for what is missing, once no block of it is being written", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    const slow = gate();
    disk.write = slow.step;
    arrivals.block(task, blockAt(0).chunk);
    const interrupted = arrivals.interrupt(task);
    await settle();
    expect(told).toHaveLength(1);
    slow.go();
    await interrupted;
    expect(told.slice(1)).toEqual([`again a [[${BLOCK_BYTES},${LARGE}]]`]);
    expect(task.isOld).toBe(true);
  });

  test("that the server has no more of is kept, once no block of it is being written", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    const slow = gate();
    disk.write = slow.step;
    arrivals.block(task, blockAt(0).chunk);
    task.failure = refusal("UNREADABLE");
    const settled = arrivals.settle(task);
    await settle();
    expect(told).toHaveLength(1);
    const keeping = gate();
    disk.keep = keeping.step;
    slow.go();
    await settle();
    expect(told).toHaveLength(1);
    keeping.go();
    await settled;
    expect(told.slice(1)).toEqual(["kept a", "failed a UNREADABLE"]);
  });
});

describe("a file", () => {
  test("that changes is removed and begins again, not for ever", async () => {
    const { arrivals, told } = site();
    const task = taskOf("a", LARGE);
    for (let time = 0; time <= MAX_RESTARTS; time++) {
      await arrivals.begin(task, factsOf(LARGE, `state ${time}`));
      task.failure = refusal("CHANGED");
      await arrivals.settle(task);
    }
    const round = ["started a 0 of 3145728", "discarded a"];
    const again = [...round, "restarted a", "again a [[0,3145728]]"];
    expect(told).toEqual([...Array.from({ length: MAX_RESTARTS }, () => again).flat(), ...round, "failed a CHANGED"]);
  });

  test("that the server puts off is asked for later and later, and of what has come nothing again, not for ever", async () => {
    const { arrivals, told } = site();
    const task = taskOf("a", LARGE);
    await arrivals.begin(task, factsOf(LARGE));
    arrivals.block(task, blockAt(0).chunk);
    for (let time = 0; time <= MAX_OVERLOADS; time++) {
      task.failure = refusal("OVERLOADED");
      await arrivals.settle(task);
      if (time < MAX_OVERLOADS) expect(task.failure).toBeUndefined();
    }
    const delays = Array.from({ length: MAX_OVERLOADS }, (_, time) => Math.min(10_000, 250 * 2 ** time));
    expect(told.slice(1)).toEqual([
      ...delays.map((ms) => `again a [[${BLOCK_BYTES},${LARGE}]] in ${ms} ms`),
      "kept a",
      "failed a OVERLOADED",
    ]);
  });

  test.each([LARGE, 10])("of %i bytes is of one state, however often it is resumed", async (size) => {
    const { arrivals, told } = site();
    const task = taskOf("a", size);
    await arrivals.begin(task, factsOf(size));
    expect(arrivals.begin(task, factsOf(size))).toBeUndefined();
    expect(told).toEqual([`started a 0 of ${size}`]);
    expect(await codeOf(() => arrivals.begin(task, factsOf(size, "another")))).toBe("BAD_PAYLOAD");
  });

  test("that has failed begins no more", () => {
    const { arrivals, told } = site();
    const task = { ...taskOf("a", 10), failure: refusal("UNREADABLE") };
    expect(arrivals.begin(task, factsOf(10))).toBeUndefined();
    expect([told, task.small]).toEqual([[], undefined]);
  });

  test("has a beginning before its blocks and its end", async () => {
    const { arrivals } = site();
    expect(await codeOf(() => arrivals.block(taskOf("a", LARGE), blockAt(0).chunk))).toBe("BAD_PAYLOAD");
    expect(await codeOf(() => arrivals.settle(taskOf("a", LARGE)))).toBe("BAD_PAYLOAD");
  });

  test("with holes that it can't have is the server's fault", async () => {
    const { arrivals } = site();
    const facts = { ...factsOf(LARGE), holes: [[0, LARGE + BLOCK_BYTES]] as [number, number][] };
    expect(await codeOf(() => arrivals.begin(taskOf("a", LARGE), facts))).toBe("BAD_PAYLOAD");
  });

  test("whose name is another's on the disk is away before that is told, and replaces nothing", async () => {
    const { arrivals, disk, told } = site();
    const [one, other] = [taskOf("a", LARGE), taskOf("A", LARGE)];
    for (const task of [one, other]) {
      await arrivals.begin(task, factsOf(LARGE));
      for (const at of [0, 1, 2]) arrivals.block(task, blockAt(at * BLOCK_BYTES).chunk);
    }
    await arrivals.settle(one);
    disk.hasOwnName = false;
    const slow = gate();
    disk.discard = slow.step;
    const settled = arrivals.settle(other);
    await settle();
    expect(told.slice(2)).toEqual(["stored a at a 3145728"]);
    slow.go();
    await settled;
    expect(told.slice(3)).toEqual(["discarded A", "failed A SAME_NAME"]);
  });
});

describe("a small file", () => {
  test("is stored, with its size of now", async () => {
    const { arrivals, told, over, progress } = site();
    const task = taskOf("a", 5);
    void arrivals.begin(task, factsOf(10));
    arrivals.block(task, blockAt(0, 10).chunk);
    await arrivals.settle(task);
    await arrivals.commits.settled();
    expect([told, over, progress()]).toEqual([["started a 0 of 10", "stored a at a 10"], ["a"], 10]);
  });

  test("that came damaged is asked for again, whole, not for ever", async () => {
    const { arrivals, told } = site();
    const task = taskOf("a", 10);
    void arrivals.begin(task, factsOf(10));
    for (let time = 0; time < 6; time++) {
      arrivals.block(task, { ...blockAt(0, 10).chunk, intact: false });
      await arrivals.settle(task);
    }
    expect(told.slice(1)).toEqual([...Array.from({ length: 5 }, () => "again a [[0,10]]"), "failed a DIGEST_MISMATCH"]);
  });

  test("whose disk is full stops the run, and comes whole in the next", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", 10);
    void arrivals.begin(task, factsOf(10));
    arrivals.block(task, blockAt(0, 10).chunk);
    disk.commit = fails("DISK_FULL");
    await arrivals.settle(task);
    await arrivals.commits.settled();
    expect(told.slice(1)).toEqual(["again a [[0,10]]", "stopped DISK_FULL"]);
  });

  test("that its disk refuses has failed, and the others go on", async () => {
    const { arrivals, disk, told } = site();
    const task = taskOf("a", 10);
    void arrivals.begin(task, factsOf(10));
    arrivals.block(task, blockAt(0, 10).chunk);
    disk.commit = fails("DISK_DENIED");
    await arrivals.settle(task);
    await arrivals.commits.settled();
    expect(told.slice(1)).toEqual(["failed a DISK_DENIED"]);
  });

  /** A small file of which all has come. */
  async function arrived({ arrivals }: ReturnType<typeof site>, name: string): Promise<DownloadTask> {
    const task = taskOf(name, 10);
    await arrivals.begin(task, factsOf(10));
    arrivals.block(task, blockAt(0, 10).chunk);
    return task;
  }

  test("that its disk stores or refuses at once needs no wait", async () => {
    const here = site();
    const [one, two] = [await arrived(here, "a"), await arrived(here, "b")];
    here.disk.store = () => true;
    expect(here.arrivals.settle(one)).toBeUndefined();
    here.disk.store = () => {
      throw new StorageError("DISK_DENIED", "The disk says no.");
    };
    expect(here.arrivals.settle(two)).toBeUndefined();
    expect(here.told.slice(2)).toEqual(["stored a at a 10", "failed b DISK_DENIED"]);
  });

  test("for which too many others are being stored comes after them; without others it has failed", async () => {
    const here = site();
    const tasks = [await arrived(here, "a"), await arrived(here, "b"), await arrived(here, "c")] as const;
    const slow = gate();
    here.disk.commit = slow.step;
    void here.arrivals.settle(tasks[0]);
    let times = 0;
    here.disk.store = () => {
      if (times++ % 2 === 0) throw new StorageError("TOO_MANY_FILES", "The process has too many files open.");
      return true;
    };
    const second = watch(Promise.resolve(here.arrivals.settle(tasks[1])));
    await settle();
    expect([here.told.slice(3), second.state]).toEqual([[], "pending"]);
    slow.go();
    await settle();
    expect(here.told.slice(3)).toEqual(["stored a at a 10", "stored b at b 10"]);
    await here.arrivals.settle(tasks[2]);
    expect(here.told.slice(5)).toEqual(["failed c TOO_MANY_FILES"]);
  });

  test("takes another name than one that is the same on the disk, when both are kept", async () => {
    const here = site("rename");
    here.disk.hasOwnName = false;
    for (const name of ["a", "A"]) await here.arrivals.settle(await arrived(here, name));
    await here.arrivals.commits.settled();
    expect(here.told.filter((line) => line.startsWith("stored"))).toEqual(["stored a at a 10", "stored A at A 10"]);
  });
});
