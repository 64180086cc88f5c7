import { CommError } from "../errors.ts";

/** How often a transfer goes on in another stream when one was damaged on the way. */
const MAX_DAMAGES = 5;

/**
 * Do `work`, which moves over streams, and do it again, in others, while one is damaged on the way: what is no block has no
 * digest of its own, and ends its stream. It must know what it has done already.
 *
 * @throws what it fails with otherwise; CommError DIGEST_MISMATCH when that happens too often
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
