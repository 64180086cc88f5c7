import { CommError, RemoteError, toCommError } from "../../errors.ts";
import { joinPath } from "../../path.ts";
import { quote } from "../../quote.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Client } from "../client.ts";
import type { Connection } from "../connection.ts";

/** What a mirror changes at its target besides storing files. Paths are below the mirrored folder. */
export interface SyncTarget {
  /** How many removals may be under way at once. */
  readonly width: number;
  /** Remove a file, a link or an empty folder; it may be gone already. @throws CommError NOT_EMPTY, … */
  remove(path: string): Promise<void>;
  /** Give the file at `from` the place of the one at `to`, in one step. */
  replace(from: string, to: string): Promise<void>;
  /** Move a file, or a link, to the folder for what a mirror replaces; it may be gone already. */
  setAside(path: string): Promise<void>;
}

/** @throws as Client.remove(), Client.rename() */
export class RemoteTarget implements SyncTarget {
  readonly width = 64;
  readonly #connection: Connection;
  readonly #root: string;
  readonly #backup: string;

  /** `backup`: the folder of the repository for what is replaced; "" where nothing is kept. */
  constructor(connection: Connection, root: string, backup = "") {
    this.#connection = connection;
    this.#root = root;
    this.#backup = backup;
  }

  async remove(path: string): Promise<void> {
    const there = joinPath(this.#root, path);
    await this.#connection.persist(async (client) => {
      try {
        await client.remove(there, false);
      } catch (thrown) {
        if (isAbsent(thrown)) return;
        // Unfinished files are not listed. They keep a folder from being empty.
        if (toCommError(thrown).code !== "NOT_EMPTY" || !(await listsNothing(client, there))) throw thrown;
        await client.remove(there, true);
      }
    });
    this.#connection.noteProgress();
  }

  async replace(from: string, to: string): Promise<void> {
    await this.#rename(joinPath(this.#root, from), joinPath(this.#root, to));
  }

  async setAside(path: string): Promise<void> {
    await this.#rename(joinPath(this.#root, path), joinPath(this.#backup, path));
  }

  /** After a lost answer the file has its new name already. */
  async #rename(from: string, to: string): Promise<void> {
    await this.#connection.persist(async (client) => {
      try {
        await client.rename(from, to, true);
      } catch (thrown) {
        if (!isAbsent(thrown)) throw thrown;
      }
    });
    this.#connection.noteProgress();
  }
}

/** Whether a folder has nothing that a list shows, or leaves out. */
async function listsNothing(client: Client, folder: string): Promise<boolean> {
  const listed = client.list({ path: folder });
  const first = await listed.next();
  if (first.done) return first.value.skipped === 0;
  await listed.return({ entries: 0, skipped: 0 });
  return false;
}

function isAbsent(thrown: unknown): boolean {
  return thrown instanceof RemoteError && thrown.code === "NOT_FOUND";
}

/** Whether something of this machine is not there. */
function isGone(thrown: unknown): boolean {
  const { code } = toCommError(thrown);
  return code === "NO_SUCH_FILE" || code === "NOT_FOUND";
}

/** @throws StorageError as Storage.remove(), Storage.rename() */
export class LocalTarget implements SyncTarget {
  readonly width = 16;
  readonly #folder: Pick<Storage, "remove" | "rename" | "list" | "stat">;
  readonly #setAside: ((path: string) => Promise<void>) | undefined;

  /** `setAside` moves a file to the folder for what is replaced. */
  constructor(
    folder: Pick<Storage, "remove" | "rename" | "list" | "stat">,
    setAside?: (path: string) => Promise<void>,
  ) {
    this.#folder = folder;
    this.#setAside = setAside;
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#folder.remove(path, { recursive: false });
    } catch (thrown) {
      if (isGone(thrown)) return;
      if (toCommError(thrown).code !== "NOT_EMPTY") throw thrown;
      // Unfinished files are not listed. They keep a folder from being empty.
      const skipped = { count: 0 };
      for await (const _ of this.#folder.list(path, { enter: () => false, skipped })) throw thrown;
      if (skipped.count > 0) throw thrown;
      await this.#folder.remove(path, { recursive: true });
    }
  }

  async replace(from: string, to: string): Promise<void> {
    await this.#folder.rename(from, to, { overwrite: true });
  }

  async setAside(path: string): Promise<void> {
    if (this.#setAside === undefined) throw new CommError("UNEXPECTED", `There is no folder for ${quote(path)}.`);
    try {
      await this.#setAside(path);
    } catch (thrown) {
      // The folder for it may be gone as well.
      if (!isGone(thrown) || (await this.#has(path))) throw thrown;
    }
  }

  #has(path: string): Promise<boolean> {
    return this.#folder.stat(path).then(
      () => true,
      (thrown) => !isGone(thrown),
    );
  }
}
