import { crc32 } from "node:zlib";
import { recentEntries } from "../server/recent-entries.ts";
import type { Storage, StorageEntry } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";

/** About 2 MB when full. */
const MAX_ENTRIES = 10_000;
const READ_BYTES = 256 * 1024;

/** CRC-32 of files, by path and state: a file that was sent before need not be read again. */
export class Checksums {
  readonly #known = recentEntries<{ readonly etag: string; readonly checksum: number }>(MAX_ENTRIES);

  note({ path, etag }: StorageEntry, checksum: number): void {
    this.#known.set(path, { etag, checksum });
  }

  /**
   * The CRC-32 of the file that a list has reported as `entry`.
   *
   * @throws StorageError as Storage.open(), OpenFile.read(); CHANGED when the file has changed, or nobody wants it any
   * more
   */
  async of(entry: StorageEntry, storage: Storage, isWanted: () => boolean): Promise<number> {
    if (entry.kind !== "file") return 0;
    const known = this.#known.get(entry.path);
    if (known?.etag === entry.etag) return known.checksum;
    const file = await storage.open(entry.path);
    try {
      if (file.entry.etag !== entry.etag) throw storageFault.changed(entry.path);
      const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(1, entry.size)));
      let checksum = 0;
      for (let at = 0; at < entry.size; ) {
        const bytes = await file.read(buffer.subarray(0, Math.min(buffer.length, entry.size - at)), at);
        if (bytes === 0 || !isWanted()) throw storageFault.changed(entry.path);
        checksum = crc32(buffer.subarray(0, bytes), checksum);
        at += bytes;
      }
      this.note(entry, checksum);
      return checksum;
    } finally {
      await file.close();
    }
  }
}

/** Computes the CRC-32 of a file while it is sent from its beginning. */
export class RunningChecksum {
  value = 0;

  update(bytes: Uint8Array): void {
    this.value = crc32(bytes, this.value);
  }
}
