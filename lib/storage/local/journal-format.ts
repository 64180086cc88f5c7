import { BLOCK_BYTES, MAX_FILE_BYTES } from "../../block.ts";
import { hasHoles } from "../../holes.ts";
import type { FileFacts } from "../storage.ts";
import { DataBlocks } from "./data-blocks.ts";

/**
 * The bytes of a journal: a head, then 8 bytes for the digest of each block that is in no hole, 0 while the block is
 * missing. The head is JSON, padded with spaces, so that it can be rewritten in place.
 */

const FORMAT = "commserver journal 1";
/** For a file with holes. */
const HOLES_FORMAT = "commserver journal 2";
/** A head has at least this many bytes; they include its length. */
export const MIN_HEAD_BYTES = 4096;
const HOLES_HEAD_BYTES = 65_536;
export const DIGEST_BYTES = 8;
const MAX_BLOCKS = MAX_FILE_BYTES / BLOCK_BYTES;

export interface JournalHead {
  /** The facts of the source, without its permissions. */
  readonly facts: FileFacts;
  /**
   * The boot of the system in which it was written: only until the next boot is all that was written certain to be
   * there.
   */
  readonly boot: string;
}

interface Recorded extends FileFacts {
  readonly format: string;
  readonly blockBytes: number;
  readonly boot: string;
}

/** The length in bytes of the head for these facts. */
export function headBytesFor(facts: FileFacts): number {
  return hasHoles(facts) ? HOLES_HEAD_BYTES : MIN_HEAD_BYTES;
}

/** The length in bytes of the head that begins with `start`, its first MIN_HEAD_BYTES. */
export function headBytesIn(start: Uint8Array): number {
  return decoder.decode(start).includes(HOLES_FORMAT) ? HOLES_HEAD_BYTES : MIN_HEAD_BYTES;
}

export function encodeHead({ facts, boot }: JournalHead): Uint8Array {
  const { size, modifiedAt, executable, etag, holes } = facts;
  const kept = { size, modifiedAt, executable, etag, ...(hasHoles(facts) && { holes }) };
  const format = hasHoles(facts) ? HOLES_FORMAT : FORMAT;
  const recorded: Recorded = { format, blockBytes: BLOCK_BYTES, boot, ...kept };
  const json = encoder.encode(JSON.stringify(recorded));
  const bytes = new Uint8Array(Math.max(json.length, headBytesFor(facts))).fill(SPACE);
  bytes.set(json);
  return bytes;
}

/** undefined if it is not a head of this version, such as one torn by a crash. */
export function decodeHead(bytes: Uint8Array): JournalHead | undefined {
  try {
    const { format, blockBytes, boot, ...facts } = JSON.parse(decoder.decode(bytes)) as Recorded;
    if (blockBytes !== BLOCK_BYTES || !Number.isSafeInteger(facts.size)) return undefined;
    if (format !== (hasHoles(facts) ? HOLES_FORMAT : FORMAT)) return undefined;
    return blocksOf(facts).count > MAX_BLOCKS ? undefined : { facts, boot };
  } catch {
    return undefined;
  }
}

/** The blocks that a journal counts. */
export function blocksOf({ size, holes }: FileFacts): DataBlocks {
  return new DataBlocks(size, holes);
}

/** The length in bytes of the whole journal. */
export function journalBytes(facts: FileFacts): number {
  return digestPosition(facts, blocksOf(facts).count);
}

/** The position of the digest of the block with this number. */
export function digestPosition(facts: FileFacts, number: number): number {
  return headBytesFor(facts) + number * DIGEST_BYTES;
}

const SPACE = 0x20;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
