import { type CommError, toCommError } from "../errors.ts";
import type { CommitQueue } from "../transfer/commit-queue.ts";
import type { Naming } from "../transfer/naming.ts";
import type { DownloadOptions } from "./download-options.ts";
import type { DownloadTask } from "./download-task.ts";

/** Results of giving files their names. */
export interface FinalNamesPort {
  onStored(task: DownloadTask, path: string): void;
  onFailed(task: DownloadTask, error: CommError): void;
  /** The disk is full, for all other files too. */
  onFull(task: DownloadTask, error: CommError): void;
}

/** Gives complete files their names, many at once, unless another file of the download has the name. */
export class FinalNames {
  readonly #exists: DownloadOptions["exists"];
  readonly #commits: CommitQueue;
  readonly #naming: Naming;
  readonly #port: FinalNamesPort;

  constructor(exists: DownloadOptions["exists"], commits: CommitQueue, naming: Naming, port: FinalNamesPort) {
    this.#exists = exists;
    this.#commits = commits;
    this.#naming = naming;
    this.#port = port;
  }

  /** @returns a promise that settles when the next file may come; undefined: at once */
  give(task: DownloadTask, commit: () => string | Promise<string>): Promise<void> | undefined {
    return this.#naming.give(
      task.path,
      this.#exists,
      () => this.#commit(task, commit),
      async (taken) => {
        await task.receiver?.part.discard();
        this.#port.onFailed(task, taken);
      },
    );
  }

  #commit(task: DownloadTask, commit: () => string | Promise<string>): Promise<void> | undefined {
    let stored: string | Promise<string>;
    try {
      stored = commit();
    } catch (thrown) {
      const freed = this.#commits.freeing(thrown);
      if (freed !== undefined) return freed.then(() => this.#commit(task, commit));
      this.#notStored(task, thrown);
      return undefined;
    }
    if (typeof stored === "string") {
      this.#port.onStored(task, stored);
      return undefined;
    }
    return this.#commits.add(
      stored.then(
        (path) => this.#port.onStored(task, path),
        (thrown) => this.#notStored(task, thrown),
      ),
    );
  }

  #notStored(task: DownloadTask, thrown: unknown): void {
    const error = toCommError(thrown);
    if (error.code === "DISK_FULL") this.#port.onFull(task, error);
    else this.#port.onFailed(task, error);
  }
}
