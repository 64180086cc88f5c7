import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, type Range } from "../../../lib/block.ts";
import { type DownloadTask, newTask } from "../../../lib/client/download-task.ts";
import { begin, Requests, takeAllowance } from "../../../lib/client/requests.ts";
import { MAX_OUTSTANDING, MAX_OUTSTANDING_BYTES } from "../../../lib/client/transfer.ts";
import type { GetRequest } from "../../../lib/protocol/methods.ts";
import type { Chunk } from "../../../lib/transfer/chunk-reader.ts";
import type { RecordSender } from "../../../lib/transfer/record-sender.ts";
import { codeOf } from "../../support/fault.ts";

function taskOf(size: number, ...ranges: Range[]): DownloadTask {
  const task = newTask({ from: "a", to: "b", kind: "file", size, modifiedAt: 0 }, "b");
  if (ranges.length > 0) task.ranges = ranges;
  return task;
}

function site(takesHoles = false) {
  const asked: GetRequest[] = [];
  const records = { add: (request: GetRequest) => void asked.push(request) } as unknown as RecordSender;
  const requests = new Requests(takesHoles);
  return { asked, requests, ask: (task: DownloadTask) => requests.ask(task, records) };
}

function chunkOf(length: number) {
  const state = { released: 0 };
  const chunk = { id: 0, length, release: () => void state.released++ } as unknown as Chunk;
  return { chunk, state };
}

describe("what a download requests of a file", () => {
  test("is all of it, whatever it has become", () => {
    const { asked, ask } = site();
    ask(taskOf(10));
    expect(asked).toEqual([{ id: 0, path: "a", offset: 0 }]);
  });

  test("is each missing part of a state that it has begun, and holes where it takes them", () => {
    const { asked, ask } = site(true);
    const task = taskOf(30, [0, 10], [20, 30]);
    task.etag = "e";
    ask(task);
    const rest = { path: "a", holes: true, etag: "e", length: 10 };
    expect(asked).toEqual([
      { id: 0, offset: 0, ...rest },
      { id: 1, offset: 20, ...rest },
    ]);
    expect(task.expected).toBe(2);
  });

  test("is its facts alone when nothing but its name is missing", () => {
    const { asked, ask } = site();
    const task = taskOf(30);
    task.ranges = [];
    task.etag = "e";
    ask(task);
    expect(asked).toEqual([{ id: 0, path: "a", offset: 0, etag: "e", length: 0 }]);
    expect(task.expected).toBe(1);
  });
});

describe("the window of requests", () => {
  test("is full with so many, or with so many bytes, until one is answered or all are forgotten", () => {
    const many = site();
    const task = taskOf(0);
    for (let each = 0; each < MAX_OUTSTANDING; each++) {
      expect(many.requests.isFull).toBe(false);
      many.ask(task);
    }
    expect(many.requests.isFull).toBe(true);
    many.requests.shift();
    expect(many.requests.isFull).toBe(false);

    const { requests, ask } = site();
    const large = taskOf(MAX_OUTSTANDING_BYTES - 1);
    ask(large);
    expect(requests.isFull).toBe(false);
    ask(taskOf(1));
    expect(requests.isFull).toBe(true);
    requests.shift();
    expect(requests.isFull).toBe(false);
    ask(large);
    expect(requests.isFull).toBe(true);
    expect([requests.clear().size, large.expected, requests.isFull, requests.isEmpty]).toEqual([2, 0, false, true]);
    ask(taskOf(MAX_OUTSTANDING_BYTES - 1));
    expect(requests.isFull).toBe(false);
  });

  test("is answered in its order, and by nothing else", async () => {
    const { requests, ask } = site();
    const { chunk } = chunkOf(0);
    expect(await codeOf(() => requests.answeredBy(chunk))).toBe("BAD_PAYLOAD");
    const [one, two] = [taskOf(1), taskOf(2)];
    ask(one);
    ask(two);
    expect(requests.answeredBy(chunk).task).toBe(one);
    expect(await codeOf(() => requests.answeredBy({ ...chunk, id: 1 }))).toBe("BAD_PAYLOAD");
    requests.shift();
    expect(requests.answeredBy({ ...chunk, id: 1 }).task).toBe(two);
  });
});

test("a file begins once in an answer", async () => {
  const { requests, ask } = site();
  ask(taskOf(10));
  const request = requests.answeredBy(chunkOf(0).chunk);
  begin(request, 10);
  expect(await codeOf(() => begin(request, 10))).toBe("BAD_PAYLOAD");
});

test("blocks may come twice as often as the file has them, and 16 more; then their buffer is given back", async () => {
  const { requests, ask } = site();
  // It has grown since it was listed.
  ask(taskOf(1));
  const request = requests.answeredBy(chunkOf(0).chunk);
  begin(request, 5 * BLOCK_BYTES);
  const { chunk, state } = chunkOf(BLOCK_BYTES);
  for (let block = 0; block < 2 * 5 + 16; block++) takeAllowance(request, chunk);
  expect(state.released).toBe(0);
  expect(await codeOf(() => takeAllowance(request, { ...chunk, length: 1 }))).toBe("BAD_PAYLOAD");
  expect(state.released).toBe(1);
});
