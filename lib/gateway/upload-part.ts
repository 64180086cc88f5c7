import { BLOCK_BYTES } from "../block.ts";
import { quote } from "../quote.ts";
import type { PartFile } from "../storage/storage.ts";
import { HttpFault } from "./http-fault.ts";

/** The part of a file that was uploaded over HTTP: how it is recognized, and where it continues. */

/** The time of the file, which the next request need not repeat, and a unique number. */
const TAG = /^http-(\d+)-[0-9a-f-]+$/;

/** The etag of a new part, which resumes nothing. `modifiedAt` in milliseconds since 1970. */
export function newPartTag(modifiedAt: number): string {
  return `http-${modifiedAt}-${crypto.randomUUID()}`;
}

/** The file's time from the etag of its part; undefined if the part was not uploaded over HTTP. */
export function timeOfPart(etag: string): number | undefined {
  const [, time] = TAG.exec(etag) ?? [];
  return time === undefined ? undefined : Number(time);
}

/**
 * Where a part continues. A complete part without its name, as after a failed commit, gets its last block again, so
 * that no program takes it for stored.
 */
export function nextByte(missing: PartFile["missing"], size: number): number {
  return missing[0]?.[0] ?? Math.floor((size - 1) / BLOCK_BYTES) * BLOCK_BYTES;
}

/**
 * The error for a request that continues elsewhere than the part at `path`, which has its first `have` bytes. `next`:
 * the advice.
 */
export function wrongOffset(path: string, have: number, next = ""): HttpFault {
  const words = `The first ${have} bytes of ${quote(path)} are here${next}.`;
  return new HttpFault("EXISTS", words, { status: 409, headers: { "upload-offset": `${have}` } });
}
