import fs from "node:fs";
import { devNull } from "node:os";
import { hasRoom, PIPE_BYTES } from "../platform/pipe-room.ts";
import { neverBlock } from "./terminal/patient-tty.ts";

/** The major number of /dev/null and the devices like it, on Linux. */
const MEMORY_DEVICES = 1;

const STREAMS = { 0: "stdin", 1: "stdout", 2: "stderr" } as const;

/**
 * Whether a standard stream is a terminal. The runtime's own streams take longer to load than the rest of the program,
 * so they are only asked about a device that may be one.
 */
export function isTerminal(fd: 0 | 1 | 2, { isDevice }: Pick<Kind, "isDevice"> = kindOf(fd)): boolean {
  return isDevice && process[STREAMS[fd]].isTTY === true;
}

/**
 * Standard output or standard error. Short texts that a file, /dev/null or a pipe with room can take are written at
 * once. Everything else goes through the runtime's stream, and then all later texts, too, to keep the order.
 */
export class StandardOutput {
  readonly #fd: 1 | 2;
  readonly isTty: boolean;
  /** Nobody sees what is written: it is the null device, which also stands for a stream that was closed at the start. */
  readonly isVoid: boolean;
  readonly #kind: Kind;
  #stream: NodeJS.WriteStream | undefined;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
    this.#kind = kindOf(fd);
    this.isTty = isTerminal(fd, this.#kind);
    this.isVoid = this.#kind.isVoid;
    // Bars and the line editor write to the process's own stream of a terminal, which must not block either.
    if (this.isTty) this.#stream = openStream(fd);
  }

  /** The runtime's stream, for a terminal's size and cursor. */
  get stream(): NodeJS.WriteStream {
    this.#stream ??= openStream(this.#fd);
    return this.#stream;
  }

  /** Resolves when the text was written. @throws the system's error */
  write(text: string | Uint8Array): Promise<void> {
    const rest = this.#writeAtOnce(text);
    if (rest === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.stream.write(rest, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** As write(), but errors are ignored. */
  say(text: string): void {
    const rest = this.#writeAtOnce(text);
    if (rest !== undefined) this.stream.write(rest);
  }

  /** Resolves when all was written, or can't be. */
  flush(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve) => (stream === undefined ? resolve() : stream.write("", () => resolve())));
  }

  /** @returns the rest for the stream to write; undefined if there is none */
  #writeAtOnce(text: string | Uint8Array): string | Uint8Array | undefined {
    if (this.#stream !== undefined || text.length > PIPE_BYTES) return text;
    const { isFile, isPipe } = this.#kind;
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    if (bytes.length > PIPE_BYTES || !(isFile || (isPipe && hasRoom(this.#fd)))) return text;
    try {
      const written = fs.writeSync(this.#fd, bytes);
      return written === bytes.length ? undefined : bytes.subarray(written);
    } catch {
      return text; // the stream meets the same error, and reports it
    }
  }
}

function openStream(fd: 1 | 2): NodeJS.WriteStream {
  const stream = process[STREAMS[fd]];
  neverBlock(stream);
  // The writer gets the error of a failed write; without a listener the stream would also end the program.
  stream.on("error", () => {});
  return stream;
}

interface Kind {
  /** A file, or a device that takes everything and is not a terminal. */
  readonly isFile: boolean;
  readonly isPipe: boolean;
  /** A device that may be a terminal. */
  readonly isDevice: boolean;
  /** The null device. */
  readonly isVoid: boolean;
}

function kindOf(fd: number): Kind {
  // Windows does not report the kind of a console.
  if (process.platform === "win32") return { isFile: false, isPipe: false, isDevice: true, isVoid: false };
  try {
    const stats = fs.fstatSync(fd);
    const isMemory = stats.isCharacterDevice() && process.platform === "linux" && stats.rdev >> 8 === MEMORY_DEVICES;
    const isDevice = stats.isCharacterDevice() && !isMemory;
    const isVoid = stats.isCharacterDevice() && stats.rdev === fs.statSync(devNull).rdev;
    return { isFile: stats.isFile() || isMemory, isPipe: stats.isFIFO(), isDevice, isVoid };
  } catch {
    return { isFile: false, isPipe: false, isDevice: true, isVoid: false }; // closed: the stream reports the error
  }
}
