import fs from "node:fs";
import { promisify } from "node:util";
import { CommError } from "../../errors.ts";
import { quote } from "../../path.ts";
import { writeError } from "../../storage/disk-error.ts";
import { type ConsoleIo, outputError } from "../console-io.ts";

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
  const fd = await openPatiently(output, signal);
  return {
    async out(bytes) {
      try {
        for (let offset = 0; offset < bytes.length; )
          offset += (await write(fd, bytes, offset, bytes.length - offset, null)).bytesWritten;
      } catch (cause) {
        throw outputError(cause, quote(output));
      }
    },
    close: () => fs.closeSync(fd),
  };
}

async function openPatiently(output: string, signal: AbortSignal): Promise<number> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(new CommError("INTERRUPTED", "Interrupted."));
  signal.addEventListener("abort", onAbort, { once: true });
  const opening = open(output, fs.constants.O_WRONLY | fs.constants.O_NOCTTY);
  try {
    return await Promise.race([opening, aborted.promise]);
  } catch (cause) {
    if (!signal.aborted) throw writeError(cause, quote(output));
    opening.then(fs.closeSync, () => {});
    throw cause;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
