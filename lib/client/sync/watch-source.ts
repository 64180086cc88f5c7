import { CommError } from "../../errors.ts";
import { isGlob } from "../../glob.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Connection } from "../connection.ts";
import type { SourceWatcher } from "./keep-mirrored.ts";

/** Whether something at this path, below the mirrored folder, is mirrored. */
type IsMeant = (path: string) => boolean;

/** Watch a folder of this machine. @returns the function that ends it @throws as Storage.watch() */
export function watchLocal(
  folder: Pick<Storage, "watch">,
  isMeant: IsMeant,
  { onChange }: SourceWatcher,
): Promise<() => void> {
  return folder.watch((changes) => {
    if (changes.some((change) => change.change === "missed" || isMeant(change.path))) onChange();
  });
}

/**
 * Watch a folder of the repository, over as many links as it takes; what has changed between two links counts as a
 * change.
 *
 * @returns the function that ends it, when the watch has begun
 * @throws as Client.watch()
 */
export async function watchRemote(
  connection: Connection,
  root: string,
  isMeant: IsMeant,
  { onChange, onFailed }: SourceWatcher,
): Promise<() => void> {
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  const onBegun = () => {
    begun.resolve();
    onChange();
  };
  const asked = isGlob(root) ? { path: root } : root || undefined;
  const below = (path: string) => (root === "" ? path : path.slice(root.length + 1));
  void connection
    .persist(async (client) => {
      try {
        for await (const change of client.watch(asked, abort.signal, onBegun)) {
          if (change.change === "missed" || isMeant(below(change.path))) onChange();
        }
      } finally {
        connection.noteHeld();
      }
      // The server stops: it may come back.
      throw new CommError("LOST", "The server has ended the watch.");
    })
    .catch((thrown) => {
      begun.reject(thrown);
      if (!abort.signal.aborted) onFailed(thrown);
    });
  await begun.promise;
  return () => abort.abort();
}
