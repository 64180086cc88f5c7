import type { StorageEntry } from "../storage/storage.ts";
import { TAR_END_BYTES, tarHead, tarPadding } from "../tar.ts";
import { type DirectoryPlace, zipDescriptor, zipDescriptorBytes, zipEnd, zipHead, zipRecord } from "./zip.ts";

/** The bytes of an archive other than those of its files. All lengths follow from the folder's list alone. */
export interface ArchiveFormat {
  readonly extension: string;
  readonly type: string;
  /** Another one when the same folder gives other bytes: clients put together parts from servers of two versions. */
  readonly version: number;
  /** The bytes before a file's, or all bytes of a folder. `name`: its path in the archive. */
  head(name: string, entry: StorageEntry): Uint8Array;
  /** The number of bytes that follow those of a file. */
  tailBytes(entry: StorageEntry): number;
  /** The bytes that follow those of a file. `checksum`: the CRC-32 of the file. */
  tail(entry: StorageEntry, checksum: number): Uint8Array;
  /** Whether a file's CRC-32 is part of the archive. */
  readonly hasChecksums: boolean;
  /**
   * The record of a member in the directory at the end; absent if the format has none. `at`: where the member begins.
   */
  readonly record: ((name: string, entry: StorageEntry, at: number, checksum: number) => Uint8Array) | undefined;
  end(directory: DirectoryPlace): Uint8Array;
}

export const ARCHIVES: Readonly<Record<string, ArchiveFormat>> = {
  tar: {
    extension: ".tar",
    type: "application/x-tar",
    version: 2,
    hasChecksums: false,
    head: tarHead,
    tailBytes: (entry) => tarPadding(entry.kind === "file" ? entry.size : 0),
    tail: (entry) => new Uint8Array(tarPadding(entry.kind === "file" ? entry.size : 0)),
    record: undefined,
    end: () => new Uint8Array(TAR_END_BYTES),
  },
  zip: {
    extension: ".zip",
    type: "application/zip",
    version: 1,
    hasChecksums: true,
    head: zipHead,
    tailBytes: zipDescriptorBytes,
    tail: zipDescriptor,
    record: zipRecord,
    end: zipEnd,
  },
};
