import { MAX_FILE_BYTES } from "../block.ts";
import { storageFault } from "../storage-faults.ts";
import type { FileFacts } from "./facts.ts";

/** @throws StorageError TOO_LARGE for a file that no storage accepts, before anything is created */
export function checkSize(path: string, { size }: Pick<FileFacts, "size">): void {
  if (size > MAX_FILE_BYTES) throw storageFault.aboveAnyFile(path, size);
}
