import { type CommError, codeOfWire, toCommError } from "../../lib/errors.ts";
import type { Stream } from "../../lib/session/stream.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { GivenNames } from "../../lib/transfer/given-names.ts";
import { PutReceiver } from "../../lib/transfer/put-receiver.ts";
import type { PutReceiverOptions } from "../../lib/transfer/put-receiver-options.ts";
import { settle } from "./fake-clock.ts";
import { type Side, sessionPair } from "./session-pair.ts";
import { until } from "./until.ts";

/** A PutReceiver behind a session, and a sender under the test's control. */
export class PutPair<S extends Storage = MemoryStorage> {
  readonly client: Side;
  readonly server: Side;
  readonly storage: S;
  readonly sending: Stream;
  readonly stored: [path: string, size: number][] = [];
  /** Every received record, with the name of its code. */
  readonly answers: any[] = [];
  /** Resolves with the error of run(), or undefined. */
  readonly ended: Promise<CommError | undefined>;

  private constructor(client: Side, server: Side, sending: Stream, storage: S, options: Partial<PutReceiverOptions>) {
    this.client = client;
    this.server = server;
    this.sending = sending;
    this.storage = storage;
    const { stream } = server;
    stream.accept({});
    const receiver = new PutReceiver({
      stream,
      storage,
      clock: { now: () => 0, wallTime: () => 0, after: () => () => {}, turn: settle },
      digest64,
      names: new GivenNames(),
      paths: "any",
      knowsHoles: true,
      blocks: 3,
      heldBytes: 2_097_152,
      onStored: (path, size) => this.stored.push([path, size]),
      describe: toCommError,
      ...options,
    });
    const run = receiver.run().then(() => stream.end());
    this.ended = run.then(
      () => undefined,
      (thrown) => {
        const error = toCommError(thrown);
        stream.reset(error.code, error.message);
        return error;
      },
    );
    void this.#collect();
  }

  static async open<S extends Storage = MemoryStorage>(
    storage?: S,
    options: Partial<PutReceiverOptions> = {},
  ): Promise<PutPair<S>> {
    const { client, server } = sessionPair({ server: { credit: 4_000_000 } });
    const sending = await client.open("put");
    return new PutPair(client, server, sending, storage ?? (new MemoryStorage() as unknown as S), options);
  }

  /** Send chunks, as one write. */
  async send(...chunks: Uint8Array[]): Promise<void> {
    await this.sending.write(Buffer.concat(chunks));
  }

  /** The `count`th answer for a file, from 1 on. */
  answer(id: number, count = 1): Promise<any> {
    return until(() => this.answers.filter((answer) => answer.id === id)[count - 1]);
  }

  /** End the body; resolves as `ended`. */
  async end(): Promise<CommError | undefined> {
    await this.sending.end();
    return this.ended;
  }

  async #collect(): Promise<void> {
    let rest = "";
    try {
      for await (const piece of this.sending.pieces()) {
        const lines = (rest + Buffer.from(piece).toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const answer = JSON.parse(line);
          this.answers.push(answer.state === "failed" ? { ...answer, code: codeOfWire(answer.code) } : answer);
        }
      }
    } catch {
      // the receiver has reset the stream, which `ended` reports
    }
  }
}
