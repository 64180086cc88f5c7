import { FoldersAbove } from "../../folders-above.ts";
import { isPlainPath, type PathKind } from "../../path.ts";
import { type Entry, ListParams, type ListTrailer } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { checkAsked, narrowTo, type Selection, selectBelow, selectGlob } from "../../selection.ts";
import type { Stream } from "../../session/stream.ts";
import type { LeftOut, StorageEntry } from "../../storage/storage.ts";
import { Yielder } from "../../yielder.ts";
import { LeftOutList } from "../left-out-list.ts";
import { type Call, defineMethod } from "../method.ts";
import type { ServerParts } from "../parts.ts";
import { RecordWriter } from "../record-writer.ts";
import { LIST_NEED } from "../transfer-needs.ts";

/** The entries of the repository, record by record, as fast as the caller takes them. */
export const list = defineMethod({
  name: "list",
  role: "read",
  kind: "lists",
  params: ListParams,
  async handle({ params, stream, member, server }: Call<typeof ListParams, "storage" | "clock">) {
    const { storage } = server;
    const asked = checkAsked(params, member.paths);
    const named = asked !== undefined && "path" in asked ? await storage.stat(asked.path) : undefined;
    if (named !== undefined && named.kind !== "folder") {
      stream.accept({});
      await stream.write(encodeRecord(recordOf(named)));
      await stream.end({ entries: 1, skipped: 0 } satisfies ListTrailer);
      return;
    }

    const isPattern = asked !== undefined && "pattern" in asked;
    const selection = isPattern ? selectGlob(asked.pattern) : selectBelow(named?.path ?? "");
    await member.lookups.run(stream, LIST_NEED, () =>
      sendList(stream, selection, { withParents: params.parents === true, paths: member.paths }, server),
    );
  },
});

/** @throws as Storage.list(), Stream.write() */
async function sendList(
  stream: Stream,
  selection: Selection,
  { withParents, paths }: { withParents: boolean; paths: PathKind },
  { storage, clock }: Pick<ServerParts, "storage" | "clock">,
): Promise<void> {
  const left = new LeftOutList();
  const isMeant = ({ name }: LeftOut) => name === selection.top || selection.matches(name) || selection.reaches(name);
  const walk = storage
    .list(selection.top, {
      enter: narrowTo(paths, selection).reaches,
      onLeftOut: (each) => void (isMeant(each) && left.add(each)),
    })
    [Symbol.asyncIterator]();
  try {
    // Before ACCEPT, so that a missing folder is an error answer, and not a list that breaks off.
    let step = await walk.next();
    stream.accept({});
    const records = new RecordWriter(stream);
    const above = withParents ? new FoldersAbove<StorageEntry>() : undefined;
    const yielder = new Yielder(clock);
    for (; !step.done; step = await walk.next()) {
      for (const entry of step.value) {
        if (paths === "plain" && !isPlainPath(entry.path)) {
          const one: LeftOut = { name: entry.path, code: "BAD_PATH" };
          if (isMeant(one)) left.add(one);
          continue;
        }
        if (selection.matches(entry.path)) {
          for (const folder of above?.take(entry.path) ?? []) records.add(recordOf(folder));
          records.add(recordOf(entry));
        } else if (entry.kind === "folder") above?.enter(entry);
        // A pattern may be so costly that one batch of paths holds up everything else.
        if (yielder.isDue) await yielder.pause();
        if (stream.isClosed) return;
      }
      await records.flushIfFull();
    }
    await records.flush();
    await stream.end({ entries: records.count, ...left.members } satisfies ListTrailer);
  } finally {
    await walk.return?.();
  }
}

/** The mode of a file comes with the file; that of a folder comes only here. */
function recordOf({ path, kind, size, modifiedAt, mode }: StorageEntry): Entry {
  return kind === "folder" ? { path, kind, size, modifiedAt, mode } : { path, kind, size, modifiedAt };
}
