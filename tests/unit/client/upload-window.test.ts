import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../lib/block.ts";
import { MAX_OUTSTANDING, MAX_OUTSTANDING_BYTES } from "../../../lib/client/transfer.ts";
import { newTask, type UploadTask } from "../../../lib/client/upload-task.ts";
import { UploadWindow } from "../../../lib/client/upload-window.ts";
import { MemoryStorage } from "../../../lib/storage/memory-storage.ts";
import type { OpenFile } from "../../../lib/storage/storage.ts";
import { settle } from "../../support/fake-clock.ts";
import { watch } from "../../support/outcomes.ts";

const local = new MemoryStorage();

function taskOf(from: string, size = 0): UploadTask {
  return newTask({ from, to: from, kind: "file", size, modifiedAt: 0, local });
}

/** A task whose file is open, offered by itself as large ones are. */
function largeTask(window: UploadWindow, from = "large"): { task: UploadTask; closed: () => number } {
  const size = 4 * BLOCK_BYTES;
  const task = taskOf(from, size);
  let closed = 0;
  const entry = { path: from, kind: "file", size, modifiedAt: 0, executable: false, etag: "e" };
  task.file = { entry, close: async () => void closed++ } as unknown as OpenFile;
  window.add(task);
  window.weigh(task, undefined);
  return { task, closed: () => closed };
}

describe("the window of an upload", () => {
  test("is full with so many files, and not with one less", () => {
    const window = new UploadWindow();
    const tasks = Array.from({ length: MAX_OUTSTANDING }, (_, index) => taskOf(`${index}`));
    for (const task of tasks) {
      expect(window.isFull).toBe(false);
      window.add(task);
      window.weigh(task, 0);
    }
    expect(window.isFull).toBe(true);
    window.forget(tasks[7] as UploadTask);
    expect(window.isFull).toBe(false);
  });

  test("is full with so many bytes, of small files that have no final answer", () => {
    const window = new UploadWindow();
    const [one, two] = [taskOf("a"), taskOf("b")];
    window.add(one);
    window.weigh(one, MAX_OUTSTANDING_BYTES - 1);
    expect(window.isFull).toBe(false);
    window.add(two);
    window.weigh(two, 1);
    expect(window.isFull).toBe(true);
    window.forget(two);
    window.forget(two);
    expect(window.isFull).toBe(false);
    window.add(two);
    window.weigh(two, 1);
    expect(window.isFull).toBe(true);
  });

  test("gains no room by folders, which weigh nothing", () => {
    const window = new UploadWindow();
    for (let each = 0; each < 3; each++) {
      const folder = taskOf(`folder ${each}`);
      window.add(folder);
      window.forget(folder);
    }
    const file = taskOf("a");
    window.add(file);
    window.weigh(file, MAX_OUTSTANDING_BYTES);
    expect(window.isFull).toBe(true);
  });

  test("is full with two large files, until one of them is over and closed", async () => {
    const window = new UploadWindow();
    const { task, closed } = largeTask(window, "a");
    expect(window.isFull).toBe(false);
    largeTask(window, "b");
    expect(window.isFull).toBe(true);
    await window.finish(task);
    expect([window.isFull, closed(), window.holds(task)]).toEqual([false, 1, false]);
  });

  test("is empty when its stream has ended, however full it was: everything is offered again, by new numbers", async () => {
    const window = new UploadWindow();
    for (let link = 0; link < 3; link++) {
      const small = taskOf("a");
      window.add(small);
      window.weigh(small, MAX_OUTSTANDING_BYTES);
      const { task, closed } = largeTask(window);
      window.want({ task, ranges: [] });
      window.abandon(taskOf("withdrawn"));
      small.rounds = 2;
      expect(window.isFull).toBe(true);
      await window.settle();
      expect([window.isFull, window.isAnswered, window.isIdle, closed()]).toEqual([false, true, false, 1]);
      expect([window.takeWanted(), window.takeAbandoned(), small.rounds]).toEqual([undefined, undefined, 0]);
      expect(small.id).toBe(2 * link);
      const again = [window.takeAgain(), window.takeAgain(), window.takeAgain()];
      expect(again.map((next) => next?.item.from)).toEqual(["a", "large", undefined]);
    }
    expect(window.isIdle).toBe(true);
  });

  test("owes nothing while the next step is ours for every file in it", () => {
    const window = new UploadWindow();
    const [one, two] = [taskOf("a"), taskOf("b")];
    for (const task of [one, two]) window.add(task);
    expect(window.isOwed).toBe(false);
    two.isOurs = false;
    expect(window.isOwed).toBe(true);
    window.forget(two);
    expect(window.isOwed).toBe(false);
  });

  test("forgets what was asked of a file with it, and nothing of another", () => {
    const window = new UploadWindow();
    const [one, two] = [taskOf("a"), taskOf("b")];
    for (const task of [one, two]) {
      window.add(task);
      window.want({ task, ranges: [] });
    }
    window.forget(one);
    expect([window.takeWanted()?.task, window.takeWanted()]).toEqual([two, undefined]);
  });

  test("keeps the number of a file that waits, until it is offered again by another", () => {
    const window = new UploadWindow();
    const task = taskOf("a");
    window.add(task);
    task.isOurs = false;
    window.forget(task);
    const offerAgain = window.hold(task);
    expect([window.isAnswered, window.isOwed, window.find(task.id)]).toEqual([false, false, task]);
    offerAgain();
    offerAgain();
    expect([window.isAnswered, window.takeAgain()?.item.from, window.takeAgain()]).toEqual([true, "a", undefined]);
  });

  test("offers a file that waited once when its stream has ended meanwhile", async () => {
    const window = new UploadWindow();
    const task = taskOf("a");
    window.add(task);
    const offerAgain = window.hold(task);
    await window.settle();
    offerAgain();
    expect([window.takeAgain()?.item.from, window.takeAgain()]).toEqual(["a", undefined]);
  });

  test("offers nothing again when the upload is closed", () => {
    const window = new UploadWindow();
    window.putAgain(taskOf("a"));
    expect(window.isIdle).toBe(false);
    window.close();
    expect([window.isIdle, window.takeAgain()]).toEqual([true, undefined]);
  });

  test("is not idle before the server knows of each withdrawn file", () => {
    const window = new UploadWindow();
    const task = taskOf("a");
    window.add(task);
    window.forget(task);
    window.abandon(task);
    expect(window.isIdle).toBe(false);
    expect([window.takeAbandoned(), window.takeAbandoned()]).toEqual([task.id, undefined]);
    expect(window.isIdle).toBe(true);
    // Nor does one that waits to be offered again make up for it.
    window.abandon(task);
    window.putAgain(task);
    expect(window.isIdle).toBe(false);
  });

  test("takes a file that is offered again for one of which nothing was sent", async () => {
    const window = new UploadWindow();
    const task = taskOf("a");
    window.add(task);
    Object.assign(task, { isSealed: true, isOurs: false });
    await window.settle();
    window.add(task);
    expect([task.isSealed, window.isOwed]).toEqual([false, false]);
  });

  test("has forgotten what one asked file wanted when it is the only one", () => {
    const window = new UploadWindow();
    const task = taskOf("a");
    window.add(task);
    window.want({ task, ranges: [] });
    window.forget(task);
    expect(window.takeWanted()).toBeUndefined();
  });

  test.each(["finish", "settle"] as const)("has closed a file when %s() has ended, once", async (end) => {
    const window = new UploadWindow();
    const { task, closed } = largeTask(window);
    const slow = Promise.withResolvers<void>();
    const file = task.file as OpenFile;
    const close = file.close.bind(file);
    file.close = async () => {
      await slow.promise;
      await close();
    };
    const ended = watch(end === "finish" ? window.finish(task) : window.settle());
    await settle();
    expect(ended.state).toBe("pending");
    slow.resolve();
    await settle();
    await window.finish(task);
    expect([ended.state, closed(), window.isFull]).toEqual(["resolved", 1, false]);
  });
});
