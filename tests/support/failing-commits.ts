import type { ExistsPolicy, FileFacts, PartFile } from "../../lib/storage/storage.ts";
import { WrappedStorage } from "../../lib/storage/wrapped.ts";
import { storageFault } from "../../lib/storage-faults.ts";

/** A storage in which files that arrive block by block can't get their names for a while. */
export class FailingCommits extends WrappedStorage {
  isFailing = true;

  override async receive(path: string, facts: FileFacts, exists: ExistsPolicy): Promise<PartFile> {
    const part = await this.inner.receive(path, facts, exists);
    const commit = part.commit.bind(part);
    part.commit = async () => {
      if (!this.isFailing) return commit();
      await part.keep();
      throw storageFault.overloaded();
    };
    return part;
  }
}
