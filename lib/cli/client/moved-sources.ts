import { stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "../../client/connection.ts";
import type { RemovableSources } from "../../client/source-remover.ts";
import type { TransferItem, UploadItem } from "../../client/transfer.ts";
import { CommError, RemoteError, StorageError, toCommError } from "../../errors.ts";
import { quote } from "../../quote.ts";
import { writeError } from "../../storage/disk-error.ts";
import { toLocalPath } from "../../storage/local/names/local-names.ts";
import { escapeText } from "../escape.ts";
import type { DiskSources } from "./local-sources.ts";
import type { TransferView } from "./transfer-view.ts";

/** A day: no disk rounds a time by so much. */
const TOUCH_SECONDS = 86_400;

/** Files of the repository that were fetched; `placeOf` is the place of a fetched file on this disk. */
export function remoteSources(
  connection: Connection,
  placeOf: (path: string) => string,
  view: TransferView,
): RemovableSources<TransferItem> {
  return {
    async removeFile({ from, size, modifiedAt }, { path }) {
      // A repository may be reached as a folder, too: what was fetched could be the source itself.
      await touched(placeOf(path), async () => {
        const found = await connection.persist((client) => client.stat(from));
        if (found.size !== size || found.modifiedAt !== modifiedAt) throw stays(from);
      });
      await removeThere(connection, from);
    },
    removeFolder: ({ from }) => removeThere(connection, from),
    ...eventsOf(view),
  };
}

/** Files of this disk that were sent. */
export function localSources(
  connection: Connection,
  here: DiskSources,
  view: TransferView,
): RemovableSources<UploadItem> {
  return {
    async removeFile({ from, size, modifiedAt, local }, { path }) {
      const storage = await here.storageOf(local);
      const place = join(storage.location, toLocalPath(from));
      if (here.isLinked(place)) throw new StorageError("NOT_ALLOWED", `${quote(from)} was named by a link, and stays.`);
      const found = await storage.stat(from);
      if (found.size !== size || found.modifiedAt !== modifiedAt) throw stays(from);
      const stored = () => connection.persist((client) => client.stat(path));
      const before = await stored();
      await touched(place, async () => {
        if ((await stored()).modifiedAt !== before.modifiedAt) throw stays(from);
      });
      await storage.remove(from, { recursive: false });
    },
    async removeFolder({ from, local }) {
      const storage = await here.storageOf(local);
      if (from === "") await here.removeRoot(storage.location);
      else await storage.remove(from, { recursive: false });
    },
    ...eventsOf(view),
  };
}

function eventsOf(view: TransferView): Pick<RemovableSources<TransferItem>, "onRemoved" | "onKept"> {
  return {
    onRemoved: ({ from, kind }) => view.onRemoved(from, kind),
    onKept: ({ from }, error) => view.onFailed({ from, size: 0, kind: "folder" }, error),
  };
}

function stays(path: string): CommError {
  return new CommError(
    "CHANGED",
    `${quote(path)} has changed since, or is the very file that it was moved to: it stays.`,
  );
}

/** @throws as Client.remove(); what is gone already, as after a lost answer, is removed */
async function removeThere(connection: Connection, path: string): Promise<void> {
  let isAgain = false;
  await connection.persist(async (client) => {
    try {
      await client.remove(path, false);
    } catch (thrown) {
      const error = toCommError(thrown);
      if (!(isAgain && error instanceof RemoteError && error.code === "NOT_FOUND")) {
        isAgain = true;
        throw thrown;
      }
    }
  });
}

/** Do `work` while the file at `place` has another time: whoever sees that has the same file. @throws StorageError */
async function touched(place: string, work: () => Promise<void>): Promise<void> {
  const inWords = (cause: unknown) => {
    throw writeError(cause, escapeText(place));
  };
  const { atimeMs, mtimeMs } = await stat(place).catch(inWords);
  await utimes(place, atimeMs / 1000, mtimeMs / 1000 - TOUCH_SECONDS).catch(inWords);
  try {
    await work();
  } finally {
    await utimes(place, atimeMs / 1000, mtimeMs / 1000).catch(inWords);
  }
}
