import type { Digest64 } from "../block.ts";
import { type CommError, codeOfWire, endsSession, ProtocolError, RemoteError, toCommError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { decodeJson } from "../protocol/json.ts";
import { Reason } from "../protocol/messages.ts";
import { DigestResult, type GetRequest } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import { BlockPool } from "../transfer/block-pool.ts";
import { ChunkReader } from "../transfer/chunk-reader.ts";
import { RecordSender } from "../transfer/record-sender.ts";
import type { Client } from "./client.ts";
import { overIntactStreams } from "./intact-streams.ts";
import { pause } from "./pause.ts";
import { MAX_OUTSTANDING, MAX_OVERLOADS, overloadDelayMs } from "./transfer.ts";

export interface DigestsOptions {
  readonly clock: Clock;
  readonly digest64: Digest64;
  readonly signal?: AbortSignal;
  /** The digest of a file has arrived; the next is read when the returned promise resolves. */
  onDigest(path: string, digest: DigestResult): void | Promise<void>;
  /** This file has no digest; the others continue. */
  onFailed(path: string, error: CommError): void | Promise<void>;
}

/**
 * The SHA-256 of many files of the repository, reported in the order of `paths`, except for files that the server put
 * off because it had too many open. All use one stream if the server supports it; otherwise each takes a call, within
 * the server's rates. Each path is reported once: after an error, the others can be requested again.
 *
 * @throws RemoteError, TransportError when the session ends; CommError INTERRUPTED by `signal`
 */
export async function digestAll(client: Client, paths: readonly string[], options: DigestsOptions): Promise<void> {
  if (!client.canAskDigests) return digestEach(client, paths, options);
  let left = paths;
  let overloads = 0;
  await overIntactStreams(async () => {
    while (left.length > 0) {
      const batch = new Batch(left, options, overloads < MAX_OVERLOADS);
      try {
        await batch.run(client);
      } finally {
        left = batch.left;
      }
      // Files that were put off wait until the server has closed others.
      if (batch.isPutOff) await pause(options.clock, overloadDelayMs(overloads++), options.signal);
    }
  });
}

async function digestEach(client: Client, paths: readonly string[], options: DigestsOptions): Promise<void> {
  for (const path of paths) {
    let digest: DigestResult;
    try {
      digest = await client.digest(path);
    } catch (thrown) {
      if (!(thrown instanceof RemoteError) || endsSession(thrown)) throw thrown;
      await options.onFailed(path, thrown);
      continue;
    }
    await options.onDigest(path, digest);
  }
}

/** Digests over one stream. */
class Batch {
  readonly #paths: readonly string[];
  readonly #options: DigestsOptions;
  readonly #mayPutOff: boolean;
  readonly #putOff: string[] = [];
  #asked = 0;
  #answered = 0;
  #digest: DigestResult | undefined;
  /** Called when there is room for more requests. */
  #onRoom: (() => void) | undefined;

  constructor(paths: readonly string[], options: DigestsOptions, mayPutOff: boolean) {
    this.#paths = paths;
    this.#options = options;
    this.#mayPutOff = mayPutOff;
  }

  get isPutOff(): boolean {
    return this.#putOff.length > 0;
  }

  /** Paths that were not reported. */
  get left(): string[] {
    return [...this.#putOff, ...this.#paths.slice(this.#answered)];
  }

  async run(client: Client): Promise<void> {
    const { signal } = this.#options;
    const isOwed = () => this.#asked > this.#answered || this.#asked === this.#paths.length;
    const isWaiting = () => stream.isAwaited && isOwed();
    const stream = client.openStream("get", {}, { body: true, isWaiting, ...(signal && { signal }) });
    const stop = (thrown: unknown) => {
      stream.reset("CANCELLED", "The receiver can't continue.", toCommError(thrown));
      this.#onRoom?.();
      throw thrown;
    };
    await Promise.all([this.#take(stream).catch(stop), this.#ask(stream).catch(stop)]);
  }

  async #ask(stream: Stream): Promise<void> {
    const records = new RecordSender(stream, this.#options.clock);
    for (const path of this.#paths) {
      while (this.#asked - this.#answered >= MAX_OUTSTANDING) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve;
        });
        if (stream.isClosed) return;
      }
      records.add({ id: this.#asked++, path, length: 0, digest: true } satisfies GetRequest);
      if (records.isFull) await records.flush();
    }
    await records.flush();
    await stream.end();
  }

  async #take(stream: Stream): Promise<void> {
    await stream.accepted;
    const reader = new ChunkReader(stream, new BlockPool(1), this.#options.digest64);
    for (;;) {
      const chunk = reader.take() ?? (await reader.next());
      if (chunk === undefined) break;
      const path = this.#paths[this.#answered];
      if (path === undefined || chunk.id !== this.#answered || this.#answered >= this.#asked) {
        throw new ProtocolError("BAD_PAYLOAD", "A digest comes that was not requested, or out of order.");
      }
      if (chunk.kind === ChunkKind.FILE && this.#digest === undefined) {
        this.#digest = decodeJson(DigestResult, chunk.payload, "A digest");
      } else if (chunk.kind === ChunkKind.SEAL && this.#digest !== undefined) {
        const digest = this.#digest;
        this.#next();
        await this.#options.onDigest(path, digest);
      } else if (chunk.kind === ChunkKind.FAIL) {
        const { code, message } = decodeJson(Reason, chunk.payload, "A refusal");
        this.#next();
        await this.#refused(path, new RemoteError(codeOfWire(code), message));
      } else {
        throw new ProtocolError("BAD_PAYLOAD", "A chunk comes that is no answer to a request for a digest.");
      }
      chunk.release();
    }
    if (this.#answered < this.#paths.length) {
      throw new ProtocolError("BAD_PAYLOAD", "The server ends before the last request.");
    }
  }

  async #refused(path: string, error: RemoteError): Promise<void> {
    if (error.code === "OVERLOADED" && this.#mayPutOff) this.#putOff.push(path);
    else await this.#options.onFailed(path, error);
  }

  #next(): void {
    this.#answered++;
    this.#digest = undefined;
    this.#onRoom?.();
  }
}
