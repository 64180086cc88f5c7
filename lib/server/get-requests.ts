import type * as v from "valibot";
import { Batches } from "../batches.ts";
import { BLOCK_BYTES, PIECES_PER_BLOCK, type Range } from "../block.ts";
import { ProtocolError } from "../errors.ts";
import { decodeBase64 } from "../protocol/base64.ts";
import { GetRequest as GetRecord } from "../protocol/methods.ts";
import { PIECE_DIGEST_BYTES } from "../protocol/patch.ts";
import { decodeRecordBatches } from "../protocol/records.ts";
import type { Stream } from "../session/stream.ts";
import type { PieceOffer } from "../transfer/patch-sender.ts";

export type GetRequest = v.InferOutput<typeof GetRecord>;

const DIGESTS_PER_BLOCK = PIECES_PER_BLOCK * PIECE_DIGEST_BYTES;

/** The requests of a `get`, one by one. A request may continue in the records after it: with further pieces. */
export class GetRequests {
  readonly #records: Batches<GetRequest>;
  #lastId = -1;
  /** Further records of the last request will come. */
  #hasMore = false;

  constructor(stream: Pick<Stream, "pieces">) {
    this.#records = new Batches(decodeRecordBatches(GetRecord, stream.pieces()));
  }

  get isEnded(): boolean {
    return this.#records.isEnded;
  }

  /**
   * The next request; undefined, now or later, when none was ready: then call again, unless isEnded. What is left of the
   * one before is passed over.
   *
   * @throws ProtocolError BAD_PAYLOAD
   */
  next(): GetRequest | undefined | Promise<GetRequest | undefined> {
    const record = this.#records.next();
    return record instanceof Promise ? record.then((waited) => this.#begin(waited)) : this.#begin(record);
  }

  #begin(record: GetRequest | undefined): GetRequest | undefined {
    if (record === undefined) {
      if (this.#hasMore && this.isEnded) throw this.#cutOff();
      return undefined;
    }
    if (this.#hasMore) {
      this.#continue(record);
      return undefined;
    }
    const { id, more } = record;
    if (id <= this.#lastId) {
      throw new ProtocolError("BAD_PAYLOAD", `The number ${id} of a request comes after ${this.#lastId}.`);
    }
    this.#lastId = id;
    this.#hasMore = more;
    return record;
  }

  /**
   * What the client offers of `range`, as it comes: each offer begins where the one before ends.
   *
   * @throws ProtocolError BAD_PAYLOAD
   */
  async *offers({ key, pieces }: GetRequest, [start, end]: Range): AsyncGenerator<PieceOffer> {
    if (key === undefined) return;
    const keyBytes = decodeBase64(key, "A key");
    for (let [from, digests] = [start, decodeBase64(pieces, "An offer")]; ; digests = await this.#more()) {
      const to = Math.min(end, from + Math.ceil(digests.length / DIGESTS_PER_BLOCK) * BLOCK_BYTES);
      if (to > from) yield { from, to, digests, key: keyBytes };
      from = to;
      if (!this.#hasMore) return;
    }
  }

  /** The digests in the next record of the last request. @throws ProtocolError BAD_PAYLOAD */
  async #more(): Promise<Uint8Array> {
    for (;;) {
      const next = this.#records.next();
      const record = next instanceof Promise ? await next : next;
      if (record !== undefined) {
        this.#continue(record);
        return decodeBase64(record.pieces, "An offer");
      }
      if (this.isEnded) throw this.#cutOff();
    }
  }

  #continue({ id, more }: GetRequest): void {
    // "A server MUST answer another record than the announced one with RESET and BAD_PAYLOAD." (PROTOCOL.md, "Patches")
    if (id !== this.#lastId) throw this.#cutOff();
    this.#hasMore = more;
  }

  #cutOff(): ProtocolError {
    return new ProtocolError("BAD_PAYLOAD", `The offer of the request ${this.#lastId} is cut off.`);
  }
}
