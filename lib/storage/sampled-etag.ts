import fs, { type BigIntStats } from "node:fs";
import { hasLastingNumbers } from "./disk-kind.ts";

/** Pieces of a file that stand for its content, and bytes of each. */
const SAMPLES = 16;
const SAMPLE_BYTES = 4_096;
/** Another disk may be mounted meanwhile, and be given the same number. */
const KNOWN_MS = 60_000;

const known = new Map<bigint, { isLasting: boolean; until: number }>();

/**
 * An etag for the open file `fd` at `place`, whose facts are `stats`, when it is on a disk that gives files other numbers
 * whenever it is mounted, and its number so tells nothing: its size, its time and samples of its content. undefined on all
 * others.
 *
 * @throws the system's error
 */
export function sampledEtag(fd: number, place: string, stats: BigIntStats): string | undefined {
  if (isLastingOn(stats.dev, place)) return undefined;
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

/** Whether the disk of that number, on which `place` is most likely, gives its files numbers that last. */
export function isLastingOn(device: bigint, place: string): boolean {
  const now = performance.now();
  const found = known.get(device);
  if (found !== undefined && found.until > now) return found.isLasting;
  const isLasting = hasLastingNumbers(place);
  known.set(device, { isLasting, until: now + KNOWN_MS });
  return isLasting;
}
