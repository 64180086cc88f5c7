import { type CommError, toCommError } from "../errors.ts";
import type { TransferItem } from "./transfer.ts";
import type { Done } from "./transfer-job.ts";

/** How many sources are removed at once. */
const TOGETHER = 8;
/** Folders with these faults stay without a word: something else is in them, or they are gone. */
const LEFT = ["NOT_EMPTY", "BUSY", "NOT_FOUND", "NO_SUCH_FILE"];

/** The sources of a transfer, as what is to be removed. */
export interface RemovableSources<Item extends TransferItem> {
  /**
   * Remove the file that has moved.
   *
   * @throws CommError when it has changed since it was planned, or when it is the very file that it was moved to
   */
  removeFile(item: Item, done: Done): Promise<void>;
  /** Remove a folder if it is empty. @throws CommError */
  removeFolder(item: Item): Promise<void>;
  onRemoved(item: Item): void;
  /** The source stays. */
  onKept(item: Item, error: CommError): void;
}

/** Removes the sources of a transfer, each after its durable arrival. Folders follow at the end, when they are empty. */
export class SourceRemover<Item extends TransferItem> {
  readonly #sources: RemovableSources<Item>;
  readonly #files: { readonly item: Item; readonly done: Done }[] = [];
  readonly #folders = new Set<Item>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;
  /** Why the first of the sources that stay does so. */
  firstFailure: CommError | undefined;

  constructor(sources: RemovableSources<Item>) {
    this.#sources = sources;
  }

  /** The item is durably where it should be. */
  take(item: Item, done: Done): void {
    if (item.kind === "folder") this.#folders.add(item);
    else if (done.outcome !== "skipped") this.#files.push({ item, done });
    this.#run();
  }

  /** Remove no more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when all that can be removed is. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    // What is in a folder comes before it.
    const folders = [...this.#folders].sort((a, b) => (a.from < b.from ? 1 : -1));
    for (const item of folders) {
      if (this.#isStopped) return;
      await this.#remove(item, () => this.#sources.removeFolder(item));
    }
  }

  #run(): void {
    while (this.#running.size < TOGETHER && this.#files.length > 0 && !this.#isStopped) {
      const { item, done } = this.#files.pop() as { item: Item; done: Done };
      const removal = this.#remove(item, () => this.#sources.removeFile(item, done)).finally(() => {
        this.#running.delete(removal);
        this.#run();
      });
      this.#running.add(removal);
    }
  }

  async #remove(item: Item, remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (thrown) {
      const error = toCommError(thrown);
      if (item.kind === "folder" && LEFT.includes(error.code)) return;
      this.firstFailure ??= error;
      this.#sources.onKept(item, error);
      return;
    }
    this.#sources.onRemoved(item);
  }
}
