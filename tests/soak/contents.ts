import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Prng } from "../fuzz/prng.ts";
import { sha256 } from "./tree-digests.ts";

const POOL_BYTES = 8 * 2 ** 20;
const MEGABYTE = 2 ** 20;
/** 2020-01-01: from there on each file has a second of its own, for same size and time are taken for the same file. */
const FIRST_SECOND = 1_577_836_800;

export interface Made {
  readonly sha256: string;
  readonly size: number;
}

/** Makes files of which no two have the same time, and hardly two the same bytes. */
export class Contents {
  readonly #pool: Buffer;
  #count = 0;
  /** Size of each content that was made, by its SHA-256. */
  readonly sizes = new Map<string, number>();

  constructor(seed: number) {
    const prng = Prng.of(seed, "contents", 0);
    const words = new Uint32Array(POOL_BYTES / 4);
    for (let at = 0; at < words.length; at++) words[at] = prng.next() * 2 ** 32;
    this.#pool = Buffer.from(words.buffer);
  }

  /** Write a file of `size` bytes; the folders on the way are made. */
  make(file: string, size: number, prng: Prng): Made {
    const number = ++this.#count;
    const from = prng.below(POOL_BYTES - size);
    const content = Buffer.from(this.#pool.subarray(from, from + size));
    content.write(`${number}\n`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    if (prng.chance(0.1)) chmodSync(file, 0o755);
    utimesSync(file, FIRST_SECOND + number, FIRST_SECOND + number);
    const made = { sha256: sha256(content), size };
    this.sizes.set(made.sha256, size);
    return made;
  }
}

/** Mostly small, sometimes around the size of a block, now and then some megabytes. */
export function someSize(prng: Prng): number {
  const kind = prng.next();
  if (kind < 0.08) return 0;
  if (kind < 0.55) return prng.between(1, 30_000);
  if (kind < 0.75) return prng.between(30_000, 400_000);
  if (kind < 0.85) return MEGABYTE + prng.between(-2, 2);
  return prng.between(MEGABYTE, prng.chance(0.4) ? 7 * MEGABYTE : 3 * MEGABYTE);
}
