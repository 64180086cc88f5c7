import fs from "node:fs";
import { promisify } from "node:util";
import { CommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { writeError } from "../../storage/disk-error.ts";
import { type ConsoleIo, outputError } from "../console-io.ts";
import { unlessAborted } from "../unless-aborted.ts";

const open = promisify(fs.open);
const write = promisify(fs.write);

const STANDARD_OUTPUT = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/** Takes bytes in their order, and keeps no file of them. */
export interface OutputStream {
  /** Resolves when the bytes were taken. @throws CommError OUTPUT_CLOSED, DISK_FAILED */
  out(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export function isStandardOutput(output: string | undefined): boolean {
  return output !== undefined && STANDARD_OUTPUT.includes(output);
}

/** True for what bytes are written to as they come: standard output, a device, a pipe that has a name. */
export function isStream(output: string | undefined): output is string {
  if (output === undefined) return false;
  if (isStandardOutput(output)) return true;
  try {
    const stats = fs.statSync(output);
    return stats.isFIFO() || stats.isCharacterDevice();
  } catch {
    return false; // what it is instead is told when it is opened as a file or folder
  }
}

/**
 * Open what isStream(). A pipe waits for who reads it.
 *
 * @throws StorageError DISK_DENIED, DISK_FAILED; CommError INTERRUPTED
 */
export async function openStream(
  output: string,
  io: Pick<ConsoleIo, "out">,
  signal: AbortSignal,
): Promise<OutputStream> {
  if (isStandardOutput(output)) return { out: (bytes) => io.out(bytes), close() {} };
  return new FileStream(await openPatiently(output, signal), quote(output));
}

/** A device or a pipe. Calls of the system for one file run beside each other: each waits for the one before it. */
class FileStream implements OutputStream {
  readonly #fd: number;
  readonly #name: string;
  /** The last of them; when one has failed, so do all behind it. */
  #last: Promise<void> = Promise.resolve();

  constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
  }

  out(bytes: Uint8Array): Promise<void> {
    const written = this.#last.then(() => this.#write(bytes));
    this.#last = written;
    return written;
  }

  /** What is under way ends first: by then the number of the descriptor must be nobody else's. */
  close(): void {
    const ended = this.#last;
    this.#last = Promise.reject(new CommError("OUTPUT_CLOSED", `Nothing more goes to ${this.#name}.`));
    this.#last.catch(() => {});
    ended.catch(() => {}).then(() => fs.closeSync(this.#fd));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let offset = 0; offset < bytes.length; )
        offset += (await write(this.#fd, bytes, offset, bytes.length - offset, null)).bytesWritten;
    } catch (cause) {
      throw outputError(cause, this.#name);
    }
  }
}

async function openPatiently(output: string, signal: AbortSignal): Promise<number> {
  const opening = open(output, fs.constants.O_WRONLY | fs.constants.O_NOCTTY);
  try {
    return await unlessAborted(opening, signal);
  } catch (cause) {
    if (!signal.aborted) throw writeError(cause, quote(output));
    opening.then(fs.closeSync, () => {}).finally(readerOf(output));
    throw cause;
  }
}

/**
 * Who waits in the system for a reader of a pipe keeps one of the few threads that all files share: be that reader.
 *
 * @returns what ends it
 */
function readerOf(pipe: string): () => void {
  try {
    const fd = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
    return () => fs.closeSync(fd);
  } catch {
    return () => {}; // then it waits on
  }
}
