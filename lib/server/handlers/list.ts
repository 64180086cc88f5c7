import { checkPath } from "../../path.ts";
import { type Entry, ListParams, type ListTrailer } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { isGlob, type Selection, selectBelow, selectGlob } from "../../storage/glob.ts";
import type { Storage, StorageEntry } from "../../storage/storage.ts";
import { defineMethod } from "../method.ts";
import { RecordWriter } from "../record-writer.ts";

/** What there is in the repository, record by record, as fast as the caller takes it. */
export const list = defineMethod({
  name: "list",
  role: "read",
  kind: "lists",
  params: ListParams,
  async handle({ params, stream, host }) {
    const { storage } = host;
    const named =
      params.glob === undefined || isGlob(params.glob) ? undefined : await storage.stat(plainPath(params.glob));
    if (named !== undefined && named.kind !== "folder") {
      stream.accept({});
      await stream.write(encodeRecord(recordOf(named)));
      await stream.end({ entries: 1, skipped: 0 } satisfies ListTrailer);
      return;
    }

    const selection = named === undefined ? selectionOf(params.glob) : selectBelow(named.path);
    const skipped = { count: 0 };
    const batches = await firstBatch(storage, selection, skipped);
    stream.accept({});
    const records = new RecordWriter(stream);
    for await (const batch of batches) {
      for (const entry of batch) if (selection.matches(entry.path)) records.add(recordOf(entry));
      await records.flushIfFull();
    }
    await records.flush();
    await stream.end({ entries: records.count, skipped: skipped.count } satisfies ListTrailer);
  },
});

/** Begin the walk, so that a folder that is missing is an answer and not a list that breaks off. */
async function firstBatch(
  storage: Storage,
  selection: Selection,
  skipped: { count: number },
): Promise<AsyncIterable<StorageEntry[]>> {
  const walk = storage.list(selection.top, { enter: selection.enter, skipped })[Symbol.asyncIterator]();
  const first = await walk.next();
  return (async function* () {
    try {
      for (let step = first; !step.done; step = await walk.next()) yield step.value;
    } finally {
      await walk.return?.();
    }
  })();
}

function selectionOf(glob: string | undefined): Selection {
  if (glob === undefined) return selectBelow("");
  const selection = selectGlob(glob);
  if (selection.top !== "") checkPath(selection.top);
  return selection;
}

/** A folder may be written with its slash. */
function plainPath(name: string): string {
  return checkPath(name.length > 1 && name.endsWith("/") ? name.slice(0, -1) : name);
}

function recordOf({ path, kind, size, modifiedAt }: StorageEntry): Entry {
  return { path, kind, size, modifiedAt };
}
