import { BLOCK_BYTES, type Range } from "../block.ts";
import { MAX_OFFERED_BLOCKS } from "../protocol/patch.ts";
import type { Basis } from "./basis.ts";
import type { BlockPool } from "./block-pool.ts";
import type { PutAnswers } from "./put-answers.ts";

/**
 * Offers the pieces of an older state to the sender of a `put`, a little ahead of the blocks that come, so that both
 * sides keep little of it in memory. Source: PROTOCOL.md, "Patches".
 */
export class PieceOffers {
  readonly #basis: Basis;
  readonly #end: number;
  /** What is still to be offered. */
  #ranges: Range[];
  /** Blocks that were offered and have not come yet. */
  #ahead = 0;

  /** `missing`: the parts of a file of `size` bytes that the receiver wants. */
  constructor(basis: Basis, missing: readonly Range[], size: number) {
    this.#basis = basis;
    this.#end = basis.endIn(size);
    this.#ranges = missing.filter(([from]) => from < this.#end).map(([from, to]) => [from, Math.min(to, this.#end)]);
  }

  /** A block has come, whole or as a patch. */
  note(): void {
    if (this.#ahead > 0) this.#ahead--;
  }

  /** True when everything that was offered has come, and nothing more will be offered. */
  get isOver(): boolean {
    return this.#ranges.length === 0 && this.#ahead === 0;
  }

  /** Offer what is due. Needs a buffer of the pool. An older state that can't be read any more is not offered further. */
  async send(id: number, pool: BlockPool, answers: PutAnswers): Promise<void> {
    while (this.#ahead <= MAX_OFFERED_BLOCKS) {
      const [range, ...rest] = this.#ranges;
      if (range === undefined) return;
      const [from, to] = range;
      const buffer = await pool.take();
      try {
        const { digests, end } = await this.#basis.offer(from, to, buffer);
        answers.pieces(id, from, this.#basis.key, digests);
        this.#ahead += Math.ceil((end - from) / BLOCK_BYTES);
        this.#ranges = end < to ? [[end, to], ...rest] : rest;
      } catch {
        this.#ranges = [];
      } finally {
        pool.give(buffer);
      }
    }
  }
}
