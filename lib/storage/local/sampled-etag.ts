import fs, { type BigIntStats } from "node:fs";
import { hasLastingNumbers } from "./disk-kind.ts";

/** Pieces of a file that stand for its content, and bytes of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 4_096;

/**
 * An etag for the open file `fd` at `place`, whose facts are `stats`, when it is on a disk that gives files other numbers
 * whenever it is mounted, and its number so tells nothing: its size, its time and samples of its content. undefined on all
 * others.
 *
 * @throws the system's error
 */
export function sampledEtag(fd: number, place: string, stats: BigIntStats): string | undefined {
  // Asked each time: another disk may have come to this place, and even have the number of the one before.
  if (hasLastingNumbers(place)) return undefined;
  const size = Number(stats.size);
  const piece = Buffer.allocUnsafe(SAMPLE_BYTES);
  let digest = 0n;
  for (let sample = 0; sample < SAMPLES; sample++) {
    // The first and the last bytes, and what lies evenly between them.
    const position = Math.floor((Math.max(0, size - SAMPLE_BYTES) * sample) / (SAMPLES - 1));
    const bytes = fs.readSync(fd, piece, 0, SAMPLE_BYTES, position);
    digest = Bun.hash.xxHash3(piece.subarray(0, bytes), digest);
  }
  return `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}-s${digest.toString(36)}`;
}
