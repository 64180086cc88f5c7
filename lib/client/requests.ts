import { BLOCK_BYTES } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import type { GetRequest } from "../protocol/methods.ts";
import type { Chunk } from "../transfer/chunk-reader.ts";
import type { RecordSender } from "../transfer/record-sender.ts";
import type { DownloadTask } from "./download-task.ts";
import { MAX_OUTSTANDING, MAX_OUTSTANDING_BYTES } from "./transfer.ts";

/** Bytes that may come for a request of any size, in addition to twice the size of its file. */
const SPARE_BYTES = 16 * BLOCK_BYTES;

/** A request for one part of a file, in a stream. */
export interface Request {
  readonly id: number;
  readonly task: DownloadTask;
  readonly bytes: number;
  /** Bytes of blocks that may still come: blocks may be repeated, but not without end. */
  allowance: number;
  isBegun: boolean;
}

/** The window of requests under way, in the order of their answers. */
export class Requests {
  /** Request holes of a file instead of their zeros. */
  readonly #takesHoles: boolean;
  #outstanding: Request[] = [];
  #bytes = 0;
  #nextId = 0;

  constructor(takesHoles: boolean) {
    this.#takesHoles = takesHoles;
  }

  get isEmpty(): boolean {
    return this.#outstanding.length === 0;
  }

  get isFull(): boolean {
    return this.#outstanding.length >= MAX_OUTSTANDING || this.#bytes >= MAX_OUTSTANDING_BYTES;
  }

  /** The request whose answer is arriving. */
  get first(): Request | undefined {
    return this.#outstanding[0];
  }

  /** Request the missing ranges of the task, one request each. */
  ask(task: DownloadTask, records: RecordSender): void {
    task.expected = Math.max(1, task.ranges.length);
    // For a complete file that lacks only its name, request the facts alone.
    for (const [start, end] of task.ranges.length > 0 ? task.ranges : [[0, 0] as const]) {
      const id = this.#nextId++;
      const bytes = end - start;
      const request: GetRequest = { id, path: task.item.from, offset: start };
      if (this.#takesHoles) request.holes = true;
      if (task.etag !== undefined) {
        request.etag = task.etag;
        request.length = bytes;
      }
      this.#outstanding.push({ id, task, bytes, allowance: SPARE_BYTES, isBegun: false });
      this.#bytes += bytes;
      records.add(request);
    }
  }

  /** The request that the chunk answers. @throws ProtocolError BAD_PAYLOAD */
  answeredBy(chunk: Chunk): Request {
    const request = this.#outstanding[0];
    if (request !== undefined && request.id === chunk.id) return request;
    throw new ProtocolError("BAD_PAYLOAD", "A file comes that was not requested, or out of order.");
  }

  /** The answer to the first request is complete. */
  shift(): void {
    this.#bytes -= this.#outstanding.shift()?.bytes ?? 0;
  }

  /** Forget all requests. @returns the tasks whose answers were cut off */
  clear(): Set<DownloadTask> {
    const tasks = new Set(this.#outstanding.map(({ task }) => task));
    for (const task of tasks) task.expected = 0;
    this.#outstanding = [];
    this.#bytes = 0;
    return tasks;
  }
}

/** The file begins, with its size now. @throws ProtocolError BAD_PAYLOAD */
export function begin(request: Request, size: number): void {
  if (request.isBegun) throw new ProtocolError("BAD_PAYLOAD", "A file begins twice in one answer.");
  request.isBegun = true;
  request.allowance += 2 * size;
}

/** A block has arrived. @throws ProtocolError BAD_PAYLOAD */
export function takeAllowance(request: Request, chunk: Chunk): void {
  request.allowance -= chunk.length;
  if (request.allowance >= 0) return;
  chunk.release();
  throw new ProtocolError("BAD_PAYLOAD", "Blocks of a file come again and again.");
}
