import type { Digest64 } from "../block.ts";

/** XXH3-64 as this machine computes it fastest. */
export const digest64: Digest64 = (bytes, seed) => Bun.hash.xxHash3(bytes, BigInt(seed));
