import { BLOCK_BYTES } from "../block.ts";
import { quote } from "../quote.ts";
import type { PartFile } from "../storage/storage.ts";
import { HttpFault } from "./http-fault.ts";

/** The part of a file that came by HTTP: what it is known by, and where it goes on. */

/** The time of the file, which the next request need not say, and a number of its own. */
const TAG = /^http-(\d+)-[0-9a-f-]+$/;

/** The etag of a new part: it goes on with nothing that is there. `modifiedAt` in milliseconds since 1970. */
export function newPartTag(modifiedAt: number): string {
  return `http-${modifiedAt}-${crypto.randomUUID()}`;
}

/** The time of the file that a part with this etag is of; undefined: it did not come by HTTP. */
export function timeOfPart(etag: string): number | undefined {
  const [, time] = TAG.exec(etag) ?? [];
  return time === undefined ? undefined : Number(time);
}

/**
 * Where a part goes on. One that is whole has no name yet, as after a commit that failed: its last block comes once more,
 * so that no program takes it for stored.
 */
export function nextByte(missing: PartFile["missing"], size: number): number {
  return missing[0]?.[0] ?? Math.floor((size - 1) / BLOCK_BYTES) * BLOCK_BYTES;
}

/** A request that goes on elsewhere than the part at `path`, which has its first `have` bytes. `next`: what to do. */
export function wrongOffset(path: string, have: number, next = ""): HttpFault {
  const words = `The first ${have} bytes of ${quote(path)} are here${next}.`;
  return new HttpFault("EXISTS", words, { status: 409, headers: { "upload-offset": `${have}` } });
}
