import fs from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { toCommError } from "../../errors.ts";
import { writeError } from "../../storage/disk-error.ts";

/** Writes all of it, at the end of the file. */
const append = promisify(fs.writeFile) as (fd: number, text: string) => Promise<void>;

/** The group may read it, as logs usually are. */
const MODE = 0o640;

/** A log in a file, which others may move away (logrotate): reopen() then begins a new one. */
export class LogFile {
  readonly #path: string;
  readonly #onFault: (why: string) => void;
  #fd: number;
  #isFaulty = false;
  #writing: Promise<void> = Promise.resolve();

  /** `onFault` is called when lines can't be written, once until they can. @throws StorageError DISK_DENIED, … */
  constructor(path: string, onFault: (why: string) => void) {
    this.#path = resolve(path);
    this.#onFault = onFault;
    this.#fd = this.#open();
  }

  /** Resolves when the lines were written, or are lost. Not to be called again before. */
  write(lines: string): Promise<void> {
    this.#writing = this.#append(lines);
    return this.#writing;
  }

  async #append(lines: string): Promise<void> {
    try {
      await append(this.#fd, lines);
      this.#isFaulty = false;
    } catch (thrown) {
      if (!this.#isFaulty) this.#onFault(toCommError(writeError(thrown, this.#path, "user")).message);
      this.#isFaulty = true;
    }
  }

  /** Continue in the file that has the name now. @throws as the constructor; the log then stays where it was */
  reopen(): void {
    const former = this.#fd;
    this.#fd = this.#open();
    // A write under way still has the former one.
    void this.#writing.finally(() => fs.closeSync(former));
  }

  #open(): number {
    try {
      return fs.openSync(this.#path, "a", MODE);
    } catch (cause) {
      throw writeError(cause, this.#path, "user");
    }
  }
}
