import type { Range } from "../block.ts";
import type { ErrorCode } from "../errors.ts";
import { encodeBase64 } from "../protocol/base64.ts";
import { wireOfReason } from "../protocol/messages.ts";
import type { Outcome, PutAnswer } from "../protocol/methods.ts";
import type { Clock } from "../session/clock.ts";
import type { Stream } from "../session/stream.ts";
import { RecordSender } from "./record-sender.ts";

/** The most ranges in one answer: they always fit a record. */
const MAX_RANGES = 1_000;

/** The receiver's answers in a `put`. Source: PROTOCOL.md, "put". */
export class PutAnswers {
  readonly #records: RecordSender;

  constructor(stream: Pick<Stream, "write">, clock: Pick<Clock, "turn">) {
    this.#records = new RecordSender(stream, clock);
  }

  /** As RecordSender.isFull. */
  get isFull(): boolean {
    return this.#records.isFull;
  }

  /** @throws as Stream.write() */
  flush(): Promise<void> {
    return this.#records.flush();
  }

  /** Offer pieces of the file's older state, from the block at `offset` on. */
  pieces(id: number, offset: number, key: Uint8Array, digests: Uint8Array): void {
    this.#add({ id, state: "pieces", offset, key: encodeBase64(key), pieces: encodeBase64(digests) });
  }

  /** Request parts of the file. */
  ready(id: number, missing: readonly Range[]): void {
    const ranges = missing.slice(0, MAX_RANGES).map(([from, to]): [number, number] => [from, to]);
    // One range for the rest: its blocks that are here already come again, and are ignored.
    const [last, rest] = [ranges.at(-1), missing.at(-1)];
    if (last !== undefined && rest !== undefined) last[1] = rest[1];
    this.#add({ id, state: "ready", ranges });
  }

  /** The file or folder is at its path. */
  done(id: number, path: string, outcome: Outcome): void {
    this.#add({ id, state: "done", path, outcome });
  }

  failed(id: number, { code, message }: { code: ErrorCode; message: string }): void {
    this.#add({ id, state: "failed", code: wireOfReason(code), message });
  }

  #add(answer: PutAnswer): void {
    this.#records.add(answer);
  }
}
