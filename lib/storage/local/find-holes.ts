import { BLOCK_BYTES, type Range } from "../../block.ts";
import { MAX_HOLES } from "../../holes.ts";
import { libc } from "../../platform/libc.ts";

/**
 * The most system calls for one file, which take some milliseconds. Everything after the last answer counts as data.
 */
const MAX_SEEKS = 16_384;

/**
 * The largest holes of an open file, in whole blocks and in order: parts, all zeros, that its disk stores nothing for.
 * None if the system can't report them.
 */
export function findHoles(fd: number, size: number): Range[] {
  const seek = libc().seek;
  const found: Range[] = [];
  if (seek === undefined) return found;
  let at = 0;
  for (let seeks = 0; at < size && seeks < MAX_SEEKS; seeks += 2) {
    const start = seek.hole(fd, at);
    if (start === undefined || start >= size) break;
    const end = seek.data(fd, start);
    if (end === undefined || end <= start) break;
    const from = Math.ceil(start / BLOCK_BYTES) * BLOCK_BYTES;
    const to = end >= size ? size : Math.floor(end / BLOCK_BYTES) * BLOCK_BYTES;
    if (to > from) found.push([from, to]);
    // A block that is partly hole and partly data counts as data.
    at = Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
  }
  found.sort((a, b) => b[1] - b[0] - (a[1] - a[0]));
  return found.slice(0, MAX_HOLES).sort((a, b) => a[0] - b[0]);
}
