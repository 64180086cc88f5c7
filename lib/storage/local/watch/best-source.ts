import { libc } from "../../../platform/libc.ts";
import { storageNotice } from "../../../storage-faults.ts";
import type { Folders } from "../folders.ts";
import { HearingSource } from "./hearing-source.ts";
import { LookingSource } from "./looking-source.ts";
import { RecursiveSource } from "./recursive-source.ts";
import type { TreeSink, TreeSource } from "./tree-source.ts";

/** Why changes are reported late: one message for watchers, and one for the operator. */
export interface Lateness {
  readonly message: string;
  readonly advice: string;
}

/** The system does not report others' changes on the disk. */
export const DEAF: Lateness = storageNotice.deaf;

/** The system can't watch so many folders. */
export const FULL: Lateness = storageNotice.full;

/** A source and, if known, why it reports late. */
export interface OpenedSource {
  readonly source: TreeSource;
  readonly lateness: Lateness | undefined;
}

/**
 * Watches folder by folder if the system supports that, and lets this process call it. `onDeaf` as for HearingSource.
 */
export function openBestSource(folders: Folders, sink: TreeSink, onDeaf: () => void): OpenedSource {
  const source = HearingSource.open(sink, folders, onDeaf) ?? openRecursive(folders, sink);
  return source === undefined ? openLookingSource(folders, sink) : { source, lateness: undefined };
}

/** Needs no support by the system. */
export function openLookingSource(folders: Folders, sink: TreeSink): OpenedSource {
  return { source: new LookingSource(sink, folders), lateness: FULL };
}

/** undefined when the system can watch no more. */
function openRecursive(folders: Folders, sink: TreeSink): TreeSource | undefined {
  // Bun would make the same calls.
  if (libc().inotify !== undefined) return undefined;
  try {
    return new RecursiveSource(folders.root, sink);
  } catch {
    return undefined;
  }
}
