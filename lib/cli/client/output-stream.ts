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

/** Takes bytes in order, without keeping them in a file. */
export interface OutputStream {
  /** Resolves when the bytes were written. @throws CommError OUTPUT_CLOSED, DISK_FAILED */
  out(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export function isStandardOutput(output: string | undefined): boolean {
  return output !== undefined && STANDARD_OUTPUT.includes(output);
}

/** True for outputs that take bytes as they come: standard output, a device, a named pipe. */
export function isStream(output: string | undefined): output is string {
  if (output === undefined) return false;
  if (isStandardOutput(output)) return true;
  try {
    const stats = fs.statSync(output);
    return stats.isFIFO() || stats.isCharacterDevice();
  } catch {
    return false; // opening it as a file or folder will report what it is
  }
}

/**
 * Open an output for which isStream() is true. A pipe waits for its reader.
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

/** A device or a pipe. System calls for one file may run in parallel, so each write waits for the one before it. */
class FileStream implements OutputStream {
  readonly #fd: number;
  readonly #name: string;
  /** The last write; after one has failed, all later ones fail too. */
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

  /** The write under way ends first: until then the descriptor's number must not be given to another file. */
  close(): void {
    const ended = this.#last;
    this.#last = Promise.reject(new CommError("OUTPUT_CLOSED", `Nothing more goes to ${this.#name}.`));
    this.#last.catch(() => {});
    void ended.catch(() => {}).then(() => fs.closeSync(this.#fd));
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
    if (!signal.aborted) throw writeError(cause, output);
    opening.then(fs.closeSync, () => {}).finally(readerOf(output));
    throw cause;
  }
}

/**
 * An open() that waits for a pipe's reader blocks one of the few threads that all files share. Become that reader, to
 * end the wait.
 *
 * @returns a function that stops reading
 */
function readerOf(pipe: string): () => void {
  try {
    const fd = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
    return () => fs.closeSync(fd);
  } catch {
    return () => {}; // then the open() keeps waiting
  }
}
