import fs, { type BigIntStats } from "node:fs";
import { hasLastingNumbers } from "./disk-kind.ts";

/** The number of samples of a file's content, and the bytes of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 4_096;

/**
 * An etag for the open file `fd` at `place`, whose facts are `stats`, on a disk that renumbers its files at each mount:
 * made of size, time and samples of the content. undefined on all other disks.
 *
 * @throws the system's error
 */
export function sampledEtag(fd: number, place: string, stats: BigIntStats): string | undefined {
  // Check each time: another disk may be mounted here by now, even with the same device number.
  if (hasLastingNumbers(place)) return undefined;
  const size = Number(stats.size);
  const piece = Buffer.allocUnsafe(SAMPLE_BYTES);
  let digest = 0n;
  for (let sample = 0; sample < SAMPLES; sample++) {
    // The first and the last bytes, and pieces evenly spread between them.
    const position = Math.floor((Math.max(0, size - SAMPLE_BYTES) * sample) / (SAMPLES - 1));
    const bytes = fs.readSync(fd, piece, 0, SAMPLE_BYTES, position);
    digest = Bun.hash.xxHash3(piece.subarray(0, bytes), digest);
  }
  return `${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}-s${digest.toString(36)}`;
}
