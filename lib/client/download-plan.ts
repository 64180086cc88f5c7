import { CommError, toCommError } from "../errors.ts";
import { parentOf } from "../path.ts";
import { quote } from "../quote.ts";
import { isClosed } from "../storage/storage.ts";
import type { Naming } from "../transfer/naming.ts";
import { Batches } from "./batches.ts";
import type { Client } from "./client.ts";
import type { DownloadOptions } from "./download-options.ts";
import { type DownloadTask, newTask } from "./download-task.ts";
import { PathSet } from "./path-set.ts";
import type { TransferItem } from "./transfer.ts";

/** Folders that keep even their owner out, and so are kept in mind until all is in them. */
const MAX_CLOSED_FOLDERS = 100_000;

/** Decides of each item whether it is fetched, and from where on; makes the folders. */
export class DownloadPlan {
  readonly #options: DownloadOptions;
  readonly #source: (client: Client) => AsyncIterable<readonly TransferItem[]>;
  readonly #naming: Naming;
  #items: Batches<TransferItem> | undefined;
  /** Targets that were seen: a list that a lost link cut off comes again from its beginning. */
  readonly #seen: PathSet;
  /** Folders that this download has made, each within the one before: what comes into them now can find nothing there. */
  readonly #madeFolders: string[] = [];
  /** Those that it has made and whose own source keeps even its owner out. */
  readonly #closedFolders: { path: string; mode: number }[] = [];

  constructor(
    source: (client: Client) => AsyncIterable<readonly TransferItem[]>,
    naming: Naming,
    options: DownloadOptions,
  ) {
    this.#source = source;
    this.#naming = naming;
    this.#options = options;
    this.#seen = new PathSet(options.digest64);
  }

  /** Go on over this link, unless all is known already. */
  begin(client: Client): void {
    if (this.isEnded) return;
    // What is left of it has failed with its stream, or is not wanted.
    void this.#items?.close().catch(() => {});
    this.#items = new Batches(this.#source(client));
  }

  get isEnded(): boolean {
    return this.#items?.isEnded === true;
  }

  /**
   * The next file that must be fetched; undefined when there is none for now, or none at all: see isEnded.
   *
   * @throws CommError TOO_MANY_ENTRIES
   */
  next(): DownloadTask | undefined | Promise<DownloadTask | undefined> {
    const item = this.#items?.next();
    if (item === undefined || item instanceof Promise) return item;
    if (!this.#seen.add(item.to)) return undefined;
    const isAlone = item.kind === "file" && this.#isInMade(item.to);
    if (isAlone && !this.#naming.isInQuestion(item.to)) return newTask(item, item.to);
    return this.#place(item);
  }

  /** Nothing more comes into them. @throws StorageError as Storage.finishFolder() */
  async finishFolders(): Promise<void> {
    // The innermost first: who may not enter a folder does not reach what is below.
    for (let folder = this.#closedFolders.pop(); folder !== undefined; folder = this.#closedFolders.pop()) {
      await this.#options.local.finishFolder(folder.path, folder.mode);
    }
  }

  async close(): Promise<void> {
    await this.#items?.close();
  }

  async #makeFolder({ to, mode }: TransferItem): Promise<void> {
    if (!(await this.#options.local.makeFolder(to, mode))) return;
    this.#leaveMade(to);
    this.#madeFolders.push(to);
    if (!isClosed(mode)) return;
    if (this.#closedFolders.length >= MAX_CLOSED_FOLDERS) {
      const words = `More than ${MAX_CLOSED_FOLDERS} folders keep even their owner out: ${quote(to)} does not.`;
      throw new CommError("TOO_MANY_ENTRIES", words);
    }
    this.#closedFolders.push({ path: to, mode });
  }

  /** What is in a folder follows it at once: those that `path` is not in will not be needed again. */
  #leaveMade(path: string): void {
    const made = this.#madeFolders;
    for (let last = made.at(-1); last !== undefined && !path.startsWith(`${last}/`); last = made.at(-1)) made.pop();
  }

  /** Whether the folder of this file is one that was made here. */
  #isInMade(path: string): boolean {
    this.#leaveMade(path);
    return this.#madeFolders.at(-1) === parentOf(path);
  }

  async #place(item: TransferItem): Promise<DownloadTask | undefined> {
    const { local, exists, onDone, onFailed } = this.#options;
    try {
      if (item.kind === "folder") {
        await this.#makeFolder(item);
        onDone(item, "stored", item.to, 0);
        return undefined;
      }
      const placement = await local.place(item.to, item, exists, await this.#naming.isAnothers(item.to));
      if (placement.outcome === "vacant") return newTask(item, placement.path, placement.resume);
      if (placement.outcome === "unchanged") this.#naming.note(placement.path);
      onDone(item, placement.outcome, placement.path, item.size);
    } catch (thrown) {
      onFailed(item, toCommError(thrown));
    }
    return undefined;
  }
}
