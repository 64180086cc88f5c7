import fs from "node:fs";

/** What waits for a terminal that is not read, in characters: what comes beyond it, and is not waited for, is lost. */
const MAX_WAITING = 1024 * 1024;
/** A terminal has room again when somebody reads it, which nothing tells: it is tried after so long, and up to so long. */
const FIRST_RETRY_MS = 1;
const MAX_RETRY_MS = 20;

type Done = (error?: Error | null) => void;

/**
 * Make a terminal's `write` one that never blocks. The system's does, and with it everything else, as long as nobody reads the
 * terminal: a machine that sleeps at the other end of ssh, a window whose program hangs. Linux only, and where the terminal
 * may be opened once more: the mode of an open file is shared with the shell and all its programs.
 */
export function neverBlock(stream: NodeJS.WriteStream & { readonly fd: number }): void {
  if (process.platform !== "linux" || !stream.isTTY) return;
  try {
    const { rdev } = fs.fstatSync(stream.fd);
    // One for each terminal: what is written to it stays in order.
    const writer = writers.get(rdev) ?? new PatientTty(open(stream.fd));
    writers.set(rdev, writer);
    stream.write = (data: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
      writer.write(data, typeof encoding === "function" ? encoding : done);
      return true;
    };
  } catch {
    // another user's terminal (su), or one of another container: it is as it is
  }
}

/** By the number of their device. */
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

  /** `done` is called when it was taken. Who gives none does not wait, and may lose it. */
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

  /** @returns the bytes that were taken, or why none can be */
  #tryWrite(bytes: Uint8Array): number | Error {
    try {
      return bytes.length === 0 ? 0 : fs.writeSync(this.#fd, bytes);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return "code" in error && error.code === "EAGAIN" ? 0 : error;
    }
  }
}
