import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeError } from "../../storage/disk-error.ts";
import { storageFault } from "../../storage-faults.ts";
import { unlessAborted } from "../unless-aborted.ts";

/**
 * Standard input in a temporary file that only this user can read. A transfer has to know its size, and to read it again
 * after a lost link.
 */
export class SpooledInput implements Disposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Read standard input to its end.
   *
   * @throws StorageError when the disk for temporary files fails, or the input; CommError INTERRUPTED when `signal` aborts
   */
  static async read(signal: AbortSignal): Promise<SpooledInput> {
    const input = new SpooledInput(makeFolder());
    try {
      await unlessAborted(copyInput(input.path), signal);
      return input;
    } catch (error) {
      input[Symbol.dispose]();
      throw error;
    }
  }

  /** The file's name is "-", as people write standard input. */
  get path(): string {
    return join(this.#folder, "-");
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @throws StorageError */
function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "commserver-input-"));
  } catch (cause) {
    throw writeError(cause, tmpdir());
  }
}

/** @throws StorageError */
async function copyInput(path: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const bytes of inputBytes()) {
      await file.writeFile(bytes).catch((cause) => {
        throw writeError(cause, path);
      });
    }
  } finally {
    await file.close();
  }
}

/** @throws StorageError */
async function* inputBytes(): AsyncGenerator<Uint8Array> {
  const pieces = Bun.stdin.stream()[Symbol.asyncIterator]();
  for (;;) {
    const piece = await pieces.next().catch((cause) => {
      throw storageFault.inputFailed(cause);
    });
    if (piece.done) return;
    yield piece.value;
  }
}
