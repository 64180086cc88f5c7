import { CommError } from "../errors.ts";

/** How often a transfer continues over another stream after one was damaged on the way. */
const MAX_DAMAGES = 5;

/**
 * Run `work`, which moves files over streams, and run it again over new streams while they are damaged on the way: only
 * blocks can be repaired, and damage to anything else ends the stream. It must remember what it has done already.
 *
 * @throws any other error of `work`; CommError DIGEST_MISMATCH when that happens too often
 */
export async function overIntactStreams(work: () => Promise<void>): Promise<void> {
  for (let damages = 0; ; damages++) {
    try {
      return await work();
    } catch (thrown) {
      const isDamage = thrown instanceof CommError && thrown.code === "DIGEST_MISMATCH";
      if (!isDamage || damages >= MAX_DAMAGES) throw thrown;
    }
  }
}
