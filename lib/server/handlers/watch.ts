import { checkPath } from "../../path.ts";
import { type Change, WatchParams } from "../../protocol/methods.ts";
import { isGlob, selectGlob } from "../../storage/glob.ts";
import type { StorageChange } from "../../storage/storage.ts";
import { sendFeed } from "../feed.ts";
import { defineMethod } from "../method.ts";

/** Changes that are kept for a client that reads slowly. */
const MAX_KEPT = 10_000;

/** What changes in the repository, as it happens, until the caller leaves or the server stops. */
export const watch = defineMethod({
  name: "watch",
  role: "read",
  kind: "lists",
  params: WatchParams,
  async handle({ params, stream, host }) {
    const matches = matcherOf(params.glob);
    await sendFeed<Change>(stream, {
      maxKept: MAX_KEPT,
      ended: host.stopping,
      subscribe: (tell) =>
        host.storage.watch((changes) => {
          for (const change of changes) if (matches(change.path)) tell(recordOf(change));
        }),
      dropped: (count) => ({ change: "missed", count }),
    });
  },
});

/** A pattern, or a path with all below it. @throws StorageError BAD_PATH */
function matcherOf(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined) return () => true;
  if (isGlob(glob)) return selectGlob(glob).matches;
  const folder = checkPath(glob.replace(/\/$/, ""));
  return (path) => path === folder || path.startsWith(`${folder}/`);
}

function recordOf(told: StorageChange): Change {
  if (told.change === "removed") return { change: "removed", path: told.path };
  const { change, path } = told;
  const { kind, size, modifiedAt } = told.entry;
  return { change, path, kind, size, modifiedAt };
}
