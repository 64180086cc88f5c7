import type { DiskTraits } from "../support/disk-traits.ts";
import { type StorageFixture, storageContract } from "./storage.ts";
import { storageCapabilitiesContract } from "./storage-capabilities.ts";
import { storageChangingContract } from "./storage-changing.ts";
import { storageWatchingContract } from "./storage-watching.ts";
import { storageWritingContract } from "./storage-writing.ts";

/** All that lib/storage/storage.ts says. `traits`: of the disk that it is on. */
export function everyStorageContract(name: string, open: () => Promise<StorageFixture>, traits?: DiskTraits): void {
  storageContract(name, open, traits);
  storageWritingContract(name, open, traits);
  storageChangingContract(name, open, traits);
  storageWatchingContract(name, open, traits);
  storageCapabilitiesContract(name, open);
}
