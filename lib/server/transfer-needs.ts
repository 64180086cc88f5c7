import type { Need } from "./memory-budget.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Requests of a `get` that may be under way: as many as our client has outstanding. */
export const REQUEST_WINDOW = 256 * KIB;

/** Two blocks on their way, what is gathered of small ones, and the requests. */
export const GET_NEED: Need = { least: 2.5 * MIB, most: 2.5 * MIB };

/** Names of a folder, entries and records of some of them. */
export const LIST_NEED: Need = { least: 256 * KIB, most: 256 * KIB };

/** Two pieces of the file. */
export const DIGEST_NEED: Need = { least: MIB, most: MIB };

/** How a `put` uses its memory. */
export interface PutSizes {
  /** Bytes under way. */
  readonly window: number;
  /** Blocks that are put together or written at once. */
  readonly blocks: number;
}

const LEAN: PutSizes = { window: 256 * KIB, blocks: 1 };
const FULL: PutSizes = { window: 4 * MIB, blocks: 3 };

export const PUT_NEED: Need = { least: 2.5 * MIB, most: 11 * MIB };

/** What to do with a grant of PUT_NEED. `maxWindow`: no more under way than that, for a session with a rate. */
export function putSizes(bytes: number, maxWindow: number): PutSizes {
  const { window, blocks } = bytes >= PUT_NEED.most ? FULL : LEAN;
  return { window: Math.min(window, maxWindow), blocks };
}
