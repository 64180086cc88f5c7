import type { Need } from "./memory-share.ts";

/** How much memory transfers take, and how they work with less. These numbers bound their memory. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** How a `get` uses its memory. */
export interface GetSizes {
  /** Bytes of requests under way. */
  readonly window: number;
  /** Blocks that are read or sent at once. */
  readonly blocks: 1 | 2;
}

/** The names of a folder, and entries and records for some of them. */
export const LIST_NEED: Need = { least: 256 * KIB, most: 256 * KIB };

/** Two pieces of the file. */
export const DIGEST_NEED: Need = { least: MIB, most: MIB };

/** How a `put` uses its memory. */
export interface PutSizes {
  /** Bytes under way. */
  readonly window: number;
  /** Blocks that are assembled or written at once. */
  readonly blocks: number;
  /** Bytes of small files that are held at once. */
  readonly heldBytes: number;
}

const LEAN_GET: GetSizes = { window: 16 * KIB, blocks: 1 };
/** The window takes as many requests as our client has outstanding. */
const FULL_GET: GetSizes = { window: 128 * KIB, blocks: 2 };

/** The blocks, two batches of small chunks, and the requests: as they arrive, and ten times that once parsed. */
export const GET_NEED: Need = { least: 1.5 * MIB, most: 3.5 * MIB };

/** One block or three of a file that comes without a window, and the bytes on their way to them. */
export const WEB_PUT_NEED: Need = { least: 1.75 * MIB, most: 3.75 * MIB };

/** Blocks that are filled or written at once, for a grant of WEB_PUT_NEED. */
export function webPutBlocks(bytes: number): 1 | 3 {
  return bytes >= WEB_PUT_NEED.most ? 3 : 1;
}

const LEAN_PUT: PutSizes = { window: 128 * KIB, blocks: 1, heldBytes: MIB };
const FULL_PUT: PutSizes = { window: 4 * MIB, blocks: 3, heldBytes: 2 * MIB };

/** The window and a quarter, the piece of it that is worked on, the blocks, held small files, and answers. */
export const PUT_NEED: Need = { least: 2.75 * MIB, most: 11 * MIB };

/** The sizes for a grant of GET_NEED. `maxWindow`: the most bytes under way, for a session with a rate. */
export function getSizes(bytes: number, maxWindow: number): GetSizes {
  const { window, blocks } = bytes >= GET_NEED.most ? FULL_GET : LEAN_GET;
  return { window: Math.min(window, maxWindow), blocks };
}

/** The sizes for a grant of PUT_NEED. */
export function putSizes(bytes: number, maxWindow: number): PutSizes {
  const { window, ...sizes } = bytes >= PUT_NEED.most ? FULL_PUT : LEAN_PUT;
  return { window: Math.min(window, maxWindow), ...sizes };
}
