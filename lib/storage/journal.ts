import fs from "node:fs";
import { BLOCK_BYTES, MAX_FILE_BYTES, type Range } from "../block.ts";
import { bootId } from "../platform/boot.ts";
import { JournalLock } from "./journal-lock.ts";
import type { OpenFolder } from "./open-folder.ts";
import { tryNarrow } from "./rights.ts";
import type { FileFacts } from "./storage.ts";

const FORMAT = "commserver journal 1";
/** Facts in JSON, padded with spaces; behind them 8 bytes for the digest of each block, 0 while it is not here. */
const FACTS_BYTES = 4096;
const DIGEST_BYTES = 8;
const MAX_BLOCKS = MAX_FILE_BYTES / BLOCK_BYTES;

interface Recorded extends FileFacts {
  readonly format: string;
  readonly blockBytes: number;
  /** The run of the system in which it was written: what that run's memory held is on the disk for certain only within it. */
  readonly boot: string;
}

/**
 * Which blocks of an unfinished file are here and verified. A block is noted when it has been written, so the journal
 * survives the end of the process at any moment; after a power failure it may be ahead of the data, which is told by
 * another `boot`, and then its digests tell what is true.
 */
export class Journal {
  readonly #lock: JournalLock;
  readonly #fd: number;
  readonly #path: string;
  #facts: FileFacts;
  #digests: BigUint64Array;

  private constructor(lock: JournalLock, path: string, facts: FileFacts, digests: BigUint64Array) {
    this.#lock = lock;
    this.#fd = lock.fd;
    this.#path = path;
    this.#facts = facts;
    this.#digests = digests;
  }

  /**
   * Open or make the journal `name`, for this opener alone. It goes on when it is of the same source, else it begins
   * anew. `isTrusted` is false when what it says must be verified. Nobody may do more with it than `mode` says.
   *
   * @throws StorageError BUSY while another has it; the system's error
   */
  static open(
    folder: OpenFolder,
    name: string,
    facts: FileFacts,
    mode: number,
  ): { journal: Journal; isTrusted: boolean } {
    const lock = JournalLock.take(folder, name, mode);
    try {
      tryNarrow(lock.fd, mode);
      const path = folder.at(name);
      const found = readJournal(lock.fd);
      if (found !== undefined && isSameSource(found.facts, facts)) {
        const journal = new Journal(lock, path, facts, found.digests);
        return { journal, isTrusted: found.facts.boot === bootId() };
      }
      const journal = new Journal(lock, path, facts, new BigUint64Array(0));
      journal.restart();
      return { journal, isTrusted: true };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What a journal says, without taking it: of which source, and what is missing. undefined when there is none. */
  static peek(path: string): { facts: FileFacts; missing: Range[] } | undefined {
    let fd: number;
    try {
      fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
    try {
      const found = readJournal(fd);
      return found && { facts: found.facts, missing: missingOf(found.facts.size, found.digests) };
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Begin anew: nothing is here. */
  restart(): void {
    this.#digests = new BigUint64Array(Math.ceil(this.#facts.size / BLOCK_BYTES));
    fs.ftruncateSync(this.#fd, 0);
    fs.ftruncateSync(this.#fd, FACTS_BYTES + this.#digests.length * DIGEST_BYTES);
    this.trust();
  }

  /** What it says now is known to be true. */
  trust(): void {
    const { size, modifiedAt, executable, etag } = this.#facts;
    const boot = bootId();
    const recorded: Recorded = { format: FORMAT, blockBytes: BLOCK_BYTES, boot, size, modifiedAt, executable, etag };
    const bytes = Buffer.from(JSON.stringify(recorded).padEnd(FACTS_BYTES));
    fs.writeSync(this.#fd, bytes, 0, FACTS_BYTES, 0);
  }

  get size(): number {
    return this.#facts.size;
  }

  get missing(): Range[] {
    return missingOf(this.#facts.size, this.#digests);
  }

  /** Where the last block ends that is here. */
  get end(): number {
    let blocks = this.#digests.length;
    while (blocks > 0 && this.#digests[blocks - 1] === 0n) blocks--;
    return Math.min(this.size, blocks * BLOCK_BYTES);
  }

  /** Digest of the block at `offset`, 0 when it is not here. */
  digestAt(offset: number): bigint {
    return this.#digests[offset / BLOCK_BYTES] ?? 0n;
  }

  /** Note that the block at `offset` is in the file; with 0 that it is not. */
  note(offset: number, digest: bigint): void {
    const index = offset / BLOCK_BYTES;
    this.#digests[index] = digest;
    const bytes = Buffer.alloc(DIGEST_BYTES);
    bytes.writeBigUInt64LE(digest);
    fs.writeSync(this.#fd, bytes, 0, DIGEST_BYTES, FACTS_BYTES + index * DIGEST_BYTES);
  }

  /** @throws StorageError BUSY when it is another's by now */
  requireHeld(): void {
    this.#lock.requireHeld();
  }

  /** Leave it to the next. */
  close(): void {
    this.#lock.release();
  }

  /** Remove it, and leave. In this order: who opens it meanwhile finds it gone, not free. */
  remove(): void {
    fs.rmSync(this.#path, { force: true });
    this.close();
  }
}

function readJournal(fd: number): { facts: Recorded; digests: BigUint64Array } | undefined {
  try {
    const head = Buffer.alloc(FACTS_BYTES);
    if (fs.readSync(fd, head, 0, FACTS_BYTES, 0) < FACTS_BYTES) return undefined;
    const facts = JSON.parse(head.toString("utf8")) as Recorded;
    if (facts.format !== FORMAT || facts.blockBytes !== BLOCK_BYTES || !Number.isSafeInteger(facts.size))
      return undefined;
    const blocks = Math.ceil(facts.size / BLOCK_BYTES);
    if (blocks > MAX_BLOCKS || fs.fstatSync(fd).size !== FACTS_BYTES + blocks * DIGEST_BYTES) return undefined;
    const digests = new BigUint64Array(blocks);
    const bytes = Buffer.from(digests.buffer);
    if (fs.readSync(fd, bytes, 0, bytes.length, FACTS_BYTES) < bytes.length) return undefined;
    return { facts, digests };
  } catch {
    return undefined; // torn by a crash: begin anew
  }
}

function isSameSource(a: FileFacts, b: FileFacts): boolean {
  return a.size === b.size && a.etag === b.etag && a.modifiedAt === b.modifiedAt;
}

/** Runs of blocks whose digest is 0. */
function missingOf(size: number, digests: BigUint64Array): Range[] {
  const ranges: [number, number][] = [];
  for (let index = 0; index < digests.length; index++) {
    if (digests[index] !== 0n) continue;
    const from = index * BLOCK_BYTES;
    const to = Math.min(size, from + BLOCK_BYTES);
    const last = ranges.at(-1);
    if (last?.[1] === from) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}
