import fs from "node:fs";

/** The most output that waits for a terminal that is not read. More is dropped, unless its writer waits for it. */
const MAX_WAITING = 1024 * 1024;
/**
 * Nothing announces that a terminal has room again, so writing is retried: first after this delay, then up to the next.
 */
const FIRST_RETRY_MS = 1;
const MAX_RETRY_MS = 20;

type Done = (error?: Error | null) => void;

/**
 * Make a terminal's `write` never block. The system's write blocks the whole program as long as nobody reads the
 * terminal: a machine that sleeps at the other end of ssh, a window whose program hangs. Works on Linux, where the
 * terminal can be opened once more: the open file from the shell shares its mode with all the shell's programs.
 */
export function neverBlock(stream: NodeJS.WriteStream & { readonly fd: number }): void {
  if (process.platform !== "linux" || !stream.isTTY) return;
  try {
    const { rdev } = fs.fstatSync(stream.fd);
    // One writer for each terminal keeps its output in order.
    const writer = writers.get(rdev) ?? new PatientTty(open(stream.fd));
    writers.set(rdev, writer);
    stream.write = (data: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
      writer.write(data, typeof encoding === "function" ? encoding : done);
      return true;
    };
  } catch {
    // another user's terminal (su), or one of another container: its writes may block
  }
}

/** By device number. */
const writers = new Map<number, PatientTty>();

function open(fd: number): number {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
  return fs.openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
}

class PatientTty {
  readonly #fd: number;
  readonly #waiting: { bytes: Uint8Array; done: Done | undefined }[] = [];
  #waitingBytes = 0;
  #retryMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** `done` is called when the data was written. A writer without `done` does not wait, and may lose its data. */
  write(data: string | Uint8Array, done: Done | undefined): void {
    if (this.#waitingBytes > MAX_WAITING && done === undefined) return;
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    this.#waiting.push({ bytes, done });
    this.#waitingBytes += bytes.length;
    if (this.#timer === undefined) this.#writeAll();
  }

  #writeAll(): void {
    this.#timer = undefined;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const taken = this.#tryWrite(next.bytes);
      if (typeof taken === "number" && taken < next.bytes.length) {
        next.bytes = next.bytes.subarray(taken);
        this.#waitingBytes -= taken;
        this.#retryMs = taken > 0 ? FIRST_RETRY_MS : Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
        this.#timer = setTimeout(() => this.#writeAll(), this.#retryMs);
        return;
      }
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes.length;
      next.done?.(typeof taken === "number" ? null : taken);
    }
  }

  /** @returns the number of bytes written, or the error */
  #tryWrite(bytes: Uint8Array): number | Error {
    try {
      return bytes.length === 0 ? 0 : fs.writeSync(this.#fd, bytes);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return "code" in error && error.code === "EAGAIN" ? 0 : error;
    }
  }
}
