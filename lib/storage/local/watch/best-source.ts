import { libc } from "../../../platform/libc.ts";
import { storageNotice } from "../../../storage-faults.ts";
import type { Folders } from "../folders.ts";
import { HearingSource } from "./hearing-source.ts";
import { LookingSource } from "./looking-source.ts";
import { RecursiveSource } from "./recursive-source.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/** Why changes are reported late: in words for watchers, and for the operator. */
export interface Lateness {
  readonly message: string;
  readonly advice: string;
}

/** Others write to the disk without a report by the system. */
export const DEAF: Lateness = storageNotice.deaf;

/** The system can't watch so many folders. */
export const FULL: Lateness = storageNotice.full;

/** A source and, when that is known, why it reports late. */
export interface OpenedSource {
  readonly source: TreeSource;
  readonly lateness: Lateness | undefined;
}

/** Folder by folder where the system has that, and lets this process call it. `onDeaf` as for HearingSource. */
export function openBestSource(folders: Folders, sink: TreeSink, onDeaf: () => void): OpenedSource {
  const source = HearingSource.open(sink, folders, onDeaf) ?? openRecursive(folders, sink);
  return source === undefined ? openLookingSource(folders, sink) : { source, lateness: undefined };
}

/** Needs nothing of the system. */
export function openLookingSource(folders: Folders, sink: TreeSink): OpenedSource {
  return { source: new LookingSource(sink, folders), lateness: FULL };
}

/** undefined where the system can watch no more. */
function openRecursive(folders: Folders, sink: TreeSink): TreeSource | undefined {
  // The same calls by another way.
  if (libc().inotify !== undefined) return undefined;
  try {
    return new RecursiveSource(folders.root, sink);
  } catch {
    return undefined;
  }
}
