import { Batches } from "../batches.ts";
import { CommError, toCommError } from "../errors.ts";
import { parentOf } from "../path.ts";
import { quote } from "../quote.ts";
import { isClosed } from "../storage/storage.ts";
import type { Naming } from "../transfer/naming.ts";
import type { Client } from "./client.ts";
import type { DownloadOptions } from "./download-options.ts";
import { type DownloadTask, newTask } from "./download-task.ts";
import { PathSet } from "./path-set.ts";
import type { TransferItem } from "./transfer.ts";

/** The most folders that refuse even their owner: their modes are set only after their contents are complete. */
const MAX_CLOSED_FOLDERS = 100_000;

/** Decides whether each item is fetched, and from which byte; makes the folders. */
export class DownloadPlan {
  readonly #options: DownloadOptions;
  readonly #source: (client: Client) => AsyncIterable<readonly TransferItem[]>;
  readonly #naming: Naming;
  #items: Batches<TransferItem> | undefined;
  /** Targets seen so far: after a lost link the list comes again from its beginning. */
  readonly #seen: PathSet;
  /** Folders that this download has made, each inside the one before: no file can exist in them yet. */
  readonly #madeFolders: string[] = [];
  /** Made folders whose source refuses even its owner. */
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

  /** Plan over this link, unless the plan is complete. */
  begin(client: Client): void {
    if (this.isEnded) return;
    // The earlier list has failed with its stream, or is not wanted.
    void this.#items?.close().catch(() => {});
    this.#items = new Batches(this.#source(client));
  }

  get isEnded(): boolean {
    return this.#items?.isEnded === true;
  }

  /**
   * The next file to fetch; undefined when there is none yet, or none any more: see isEnded.
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

  /** Set the modes of the closed folders, which are complete. @throws StorageError as Storage.finishFolder() */
  async finishFolders(): Promise<void> {
    // The innermost first: a folder that refuses its owner hides all below it.
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

  /** A folder's contents follow it directly, so folders that don't hold `path` are no longer needed. */
  #leaveMade(path: string): void {
    const made = this.#madeFolders;
    for (let last = made.at(-1); last !== undefined && !path.startsWith(`${last}/`); last = made.at(-1)) made.pop();
  }

  /** Whether this download has made the file's folder. */
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
