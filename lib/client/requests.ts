import { BLOCK_BYTES, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { encodeBase64 } from "../protocol/base64.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import type { GetRequest } from "../protocol/methods.ts";
import type { Basis } from "../transfer/basis.ts";
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

  /**
   * Request the missing ranges of the task, one request each, with what its older state has of them.
   *
   * @returns a promise that settles when the next task may be requested; undefined: at once
   */
  ask(task: DownloadTask, records: RecordSender): Promise<void> | undefined {
    // For a complete file that lacks only its name, request the facts alone.
    const ranges: readonly Range[] = task.ranges.length > 0 ? task.ranges : [[0, 0]];
    task.expected = ranges.length;
    if (task.basis !== undefined) return this.#askWith(task.basis, task, ranges, records);
    for (const range of ranges) this.#add(task, range, records);
    return undefined;
  }

  async #askWith(basis: Basis, task: DownloadTask, ranges: readonly Range[], records: RecordSender): Promise<void> {
    for (const range of ranges) {
      const { id, path } = this.#add(task, range, records, { key: encodeBase64(basis.key), more: true });
      const isAnswered = () => !this.#outstanding.some((request) => request.id === id);
      for await (const pieces of offersOf(basis, range, isAnswered)) {
        records.add({ id, path, pieces: encodeBase64(pieces), more: true } satisfies GetRequest);
        if (records.isFull) await records.flush();
      }
      records.add({ id, path } satisfies GetRequest);
    }
  }

  #add(task: DownloadTask, [start, end]: Range, records: RecordSender, more: Partial<GetRequest> = {}): GetRequest {
    const id = this.#nextId++;
    const bytes = end - start;
    const request: GetRequest = { id, path: task.item.from, offset: start, ...more };
    if (this.#takesHoles) request.holes = true;
    if (task.etag !== undefined) {
      request.etag = task.etag;
      request.length = bytes;
    }
    this.#outstanding.push({ id, task, bytes, allowance: SPARE_BYTES, isBegun: false });
    this.#bytes += bytes;
    records.add(request);
    return request;
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

/** A block or a patch has arrived: work for a whole block. @throws ProtocolError BAD_PAYLOAD */
export function takeAllowance(request: Request, chunk: Chunk): void {
  request.allowance -= chunk.kind === ChunkKind.PATCH ? BLOCK_BYTES : chunk.length;
  if (request.allowance >= 0) return;
  chunk.release();
  throw new ProtocolError("BAD_PAYLOAD", "Blocks of a file come again and again.");
}

/** The digests of what the older state has of the range, in parts, until the request is answered or it can't be read. */
async function* offersOf(basis: Basis, [from, to]: Range, isAnswered: () => boolean): AsyncGenerator<Uint8Array, void> {
  const last = Math.min(to, basis.endIn(to));
  const buffer = new Uint8Array(BLOCK_BYTES);
  for (let at = from; at < last && !isAnswered(); ) {
    const offered = await basis.offer(at, last, buffer).catch(() => undefined);
    if (offered === undefined) return;
    yield offered.digests;
    at = offered.end;
  }
}
