import { StorageError } from "../errors.ts";
import { storageFault } from "../storage-faults.ts";
import type { ExistsPolicy, FileFacts, PartFile } from "./storage.ts";
import { WrappedStorage } from "./wrapped.ts";

/** Faults whose messages have numbers of the whole repository, or of its disk. */
const OF_ALL = ["QUOTA_EXCEEDED", "NO_SPACE", "DISK_FULL"];

/** A folder of a repository that does not tell how full the whole is: that shows what others do. */
export class DiscreetStorage extends WrappedStorage {
  override freeBytes(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** @throws StorageError as Storage.receive() */
  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await this.inner.receive(path, facts, exists).catch((thrown) => discreetly(path, thrown));
    const write = part.write.bind(part);
    const commit = part.commit.bind(part);
    part.write = (offset, bytes, digest) => write(offset, bytes, digest).catch((thrown) => discreetly(path, thrown));
    part.commit = () => commit().catch((thrown) => discreetly(path, thrown));
    return part;
  }

  /** @throws StorageError as Storage.store() */
  override store(path: string, facts: FileFacts, exists: ExistsPolicy, bytes: Uint8Array): string | Promise<string> {
    try {
      const stored = this.inner.store(path, facts, exists, bytes);
      return typeof stored === "string" ? stored : stored.catch((thrown) => discreetly(path, thrown));
    } catch (thrown) {
      return discreetly(path, thrown);
    }
  }
}

/** @throws StorageError with a message that tells no numbers */
function discreetly(path: string, thrown: unknown): never {
  if (thrown instanceof StorageError && OF_ALL.includes(thrown.code)) throw storageFault.noRoomLeft(path, thrown);
  throw thrown;
}
