import { ProtocolError } from "../errors.ts";
import { ChunkKind } from "../protocol/chunk.ts";
import { quote } from "../quote.ts";
import { discard } from "../session/held-buffers.ts";
import type { FileFacts } from "../storage/storage.ts";
import type { Chunk } from "./chunk-reader.ts";
import { countRepair } from "./repair.ts";

/** A file of at most one block, between its FILE and its SEAL: it is held in memory, and stored in one step. */
export class SmallFile {
  readonly path: string;
  readonly facts: FileFacts;
  /** Its bytes; undefined until they arrive. */
  bytes: Uint8Array | undefined;
  #isView = false;
  #repairs = 0;

  constructor(path: string, facts: FileFacts) {
    this.path = path;
    this.facts = facts;
    if (facts.size === 0) this.bytes = new Uint8Array(0);
  }

  /** Take its block; a damaged one is dropped. @throws ProtocolError BAD_PAYLOAD when it is not a block of this file */
  take(chunk: Chunk): void {
    const { kind, payload, offset, intact } = chunk;
    if (kind !== ChunkKind.BLOCK || offset !== 0 || payload.length !== this.facts.size) {
      chunk.release();
      throw new ProtocolError(
        "BAD_PAYLOAD",
        `${quote(this.path)} has no block of ${payload.length} bytes at ${offset}.`,
      );
    }
    // A pooled buffer must be given back, so copy it. Usually the bytes are a view, valid until the reader waits for
    // more.
    if (intact) {
      this.bytes = chunk.isLent ? new Uint8Array(payload) : payload;
      this.#isView = !chunk.isLent;
    }
    chunk.release();
  }

  /** Copy the bytes, since the view becomes invalid when the reader waits for more. */
  detach(): void {
    if (this.bytes !== undefined && this.#isView) this.bytes = new Uint8Array(this.bytes);
    this.#isView = false;
  }

  /** The file has failed: release its bytes. */
  drop(): void {
    if (this.bytes !== undefined && !this.#isView) discard(this.bytes);
    this.bytes = undefined;
  }

  /**
   * The sender has sent everything.
   *
   * @returns the bytes; undefined when they must be requested again
   * @throws StreamError DIGEST_MISMATCH when that has happened too often
   */
  sealed(): Uint8Array | undefined {
    if (this.bytes === undefined) this.#repairs = countRepair(this.#repairs, this.path);
    return this.bytes;
  }
}
