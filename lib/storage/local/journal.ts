import fs from "node:fs";
import type { Range } from "../../block.ts";
import { areSameRanges } from "../../holes.ts";
import { bootId } from "../../platform/boot.ts";
import type { FileFacts } from "../storage.ts";
import type { DataBlocks } from "./data-blocks.ts";
import {
  blocksOf,
  DIGEST_BYTES,
  decodeHead,
  digestPosition,
  encodeHead,
  headBytesIn,
  type JournalHead,
  journalBytes,
  MIN_HEAD_BYTES,
} from "./journal-format.ts";
import { JournalLock } from "./locks/journal-lock.ts";
import type { OpenFolder } from "./open-folder.ts";
import { tryNarrow } from "./rights.ts";

/**
 * The list of blocks of an unfinished file that are there and verified; kept in a file beside it, and locked. A block
 * is noted after it was written, so the journal survives a crash of the process at any moment. After a power failure
 * the journal may be ahead of the data: then `boot` differs, and the digests decide.
 */
export class Journal {
  readonly #lock: JournalLock;
  readonly #fd: number;
  readonly #path: string;
  #facts: FileFacts;
  readonly #blocks: DataBlocks;
  #digests: BigUint64Array;

  private constructor(lock: JournalLock, path: string, facts: FileFacts, digests: BigUint64Array) {
    this.#blocks = blocksOf(facts);
    this.#lock = lock;
    this.#fd = lock.fd;
    this.#path = path;
    this.#facts = facts;
    this.#digests = digests;
  }

  /**
   * Open or create the journal `name`, for this opener alone. A journal of the same source is resumed, "trusted" or
   * "unverified"; a "new" one is empty until restart(). Its permissions are those of `mode`, or fewer.
   *
   * @throws StorageError BUSY while another transfer has it; the system's error
   */
  static open(
    folder: OpenFolder,
    name: string,
    facts: FileFacts,
    mode: number,
  ): { journal: Journal; state: "trusted" | "unverified" | "new" } {
    const lock = JournalLock.take(folder, name, mode);
    try {
      tryNarrow(lock.fd, mode);
      const path = folder.at(name);
      const found = readJournal(lock.fd);
      if (found !== undefined && isSameSource(found.facts, facts)) {
        const journal = new Journal(lock, path, facts, found.digests);
        return { journal, state: found.boot === bootId() ? "trusted" : "unverified" };
      }
      return { journal: new Journal(lock, path, facts, new BigUint64Array(0)), state: "new" };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * The content of a journal, read without a lock: its source, and the missing ranges. undefined when there is none.
   */
  static peek(path: string): { facts: FileFacts; missing: Range[] } | undefined {
    let fd: number;
    try {
      fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
    try {
      const found = readJournal(fd);
      return found && { facts: found.facts, missing: missingOf(blocksOf(found.facts), found.digests) };
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Start over, with no block. */
  restart(): void {
    this.#digests = new BigUint64Array(this.#blocks.count);
    fs.ftruncateSync(this.#fd, 0);
    fs.ftruncateSync(this.#fd, journalBytes(this.#facts));
    this.trust();
  }

  /** Its content has been verified. */
  trust(): void {
    const bytes = encodeHead({ facts: this.#facts, boot: bootId() });
    fs.writeSync(this.#fd, bytes, 0, bytes.length, 0);
  }

  get missing(): Range[] {
    return missingOf(this.#blocks, this.#digests);
  }

  /** The blocks that are there. */
  *noted(): Generator<{ offset: number; digest: bigint }, void> {
    for (const [number, digest] of this.#digests.entries()) {
      if (digest !== 0n) yield { offset: this.#blocks.rangeOf(number)[0], digest };
    }
  }

  /** The end of the last block that is there. */
  get end(): number {
    let blocks = this.#digests.length;
    while (blocks > 0 && this.#digests[blocks - 1] === 0n) blocks--;
    return blocks === 0 ? 0 : this.#blocks.rangeOf(blocks - 1)[1];
  }

  /** Whether nothing more is needed for `offset`: the block is there, or it is a hole. */
  has(offset: number): boolean {
    const number = this.#blocks.numberOf(offset);
    return number === undefined || this.#digests[number] !== 0n;
  }

  /** Note that the block at `offset` is in the file; with a digest of 0, that it is not. */
  note(offset: number, digest: bigint): void {
    const number = this.#blocks.numberOf(offset);
    if (number === undefined) return;
    this.#digests[number] = digest;
    const bytes = Buffer.alloc(DIGEST_BYTES);
    bytes.writeBigUInt64LE(digest);
    fs.writeSync(this.#fd, bytes, 0, DIGEST_BYTES, digestPosition(this.#facts, number));
  }

  /** @throws StorageError BUSY when another process has it by now */
  requireHeld(): void {
    this.#lock.requireHeld();
  }

  /** Close and unlock it. */
  close(): void {
    this.#lock.release();
  }

  /** Remove it, then unlock it: a process that opens it in between finds it gone, not free. */
  remove(): void {
    fs.rmSync(this.#path, { force: true });
    this.close();
  }
}

function readJournal(fd: number): (JournalHead & { digests: BigUint64Array }) | undefined {
  try {
    const head = readHead(fd);
    if (head === undefined || fs.fstatSync(fd).size !== journalBytes(head.facts)) return undefined;
    const digests = new BigUint64Array(blocksOf(head.facts).count);
    const bytes = Buffer.from(digests.buffer);
    const read = fs.readSync(fd, bytes, 0, bytes.length, digestPosition(head.facts, 0));
    return read < bytes.length ? undefined : { ...head, digests };
  } catch {
    return undefined; // unreadable: it starts over
  }
}

/** @throws the system's error */
function readHead(fd: number): JournalHead | undefined {
  const start = new Uint8Array(MIN_HEAD_BYTES);
  if (fs.readSync(fd, start, 0, MIN_HEAD_BYTES, 0) < MIN_HEAD_BYTES) return undefined;
  const length = headBytesIn(start);
  // Most heads are not longer.
  if (length === MIN_HEAD_BYTES) return decodeHead(start);
  const head = new Uint8Array(length);
  return decodeHead(head.subarray(0, fs.readSync(fd, head, 0, length, 0)));
}

function isSameSource(a: FileFacts, b: FileFacts): boolean {
  const isSameState = a.size === b.size && a.etag === b.etag && a.modifiedAt === b.modifiedAt;
  return isSameState && areSameRanges(a.holes, b.holes);
}

/** Runs of blocks whose digest is 0. */
function missingOf(blocks: DataBlocks, digests: BigUint64Array): Range[] {
  return blocks.runsOf((number) => digests[number] === 0n);
}
