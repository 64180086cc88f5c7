import fs from "node:fs";
import { promisify } from "node:util";
import type { Owner } from "../../storage-faults.ts";
import { writeError } from "../disk-error.ts";
import type { FileFacts } from "../storage.ts";

/** The last millisecond that a Date can hold. */
const MAX_TIME = 8.64e15;

const fsync = promisify(fs.fsync);
const write = promisify(fs.write);
const read = promisify(fs.read);

/** Write all of `bytes`, without blocking the event loop. @throws the system's error */
export async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    offset += (await write(fd, bytes, offset, bytes.length - offset, position + offset)).bytesWritten;
  }
}

/**
 * Read up to `buffer.length` bytes, without blocking the event loop. Returns how many; 0 at the end.
 *
 * @throws the system's error
 */
export async function readAt(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  return (await read(fd, buffer, 0, buffer.length, position)).bytesRead;
}

/** The unit in which stat(2) counts a file's space on the disk. */
const STAT_BLOCK_BYTES = 512;

/** Bytes that an open file takes on its disk: fewer than its size if it has holes. @throws the system's error */
export function takenBytes(fd: number): number {
  return fs.fstatSync(fd).blocks * STAT_BLOCK_BYTES;
}

/**
 * Give an open file the modification time of its source. Its access time becomes now: on disks without a time of the
 * last change (exFAT, sshfs), nothing else shows how old an unfinished file is.
 *
 * @throws the system's error
 */
export function setTimes(fd: number, { modifiedAt }: Pick<FileFacts, "modifiedAt">): void {
  fs.futimesSync(fd, new Date(), new Date(settableTime(modifiedAt)));
}

/** The time in milliseconds since 1970 that setTimes() sets: the nearest one that a Date can hold. */
export function settableTime(modifiedAt: number): number {
  return Math.max(-MAX_TIME, Math.min(MAX_TIME, modifiedAt));
}

/** Resolves when all of an open file is on the disk. @throws the system's error */
export function finishFile(fd: number): Promise<void> {
  return fsync(fd);
}

/** Run `work`, and turn the system's errors into faults for the owner of the file. @throws StorageError */
export async function writing<T>(what: string, owner: Owner, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw writeError(cause, what, owner);
  }
}
