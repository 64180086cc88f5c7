import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";

/** Fill `target` with the bytes of a file from `offset` on. @throws as OpenFile.read(); CHANGED at an end that comes too early */
export async function readFully(file: OpenFile, target: Uint8Array, offset: number): Promise<void> {
  for (let filled = 0; filled < target.length; ) {
    const bytes = await file.read(target.subarray(filled), offset + filled);
    if (bytes === 0) throw storageFault.changed(file.entry.path);
    filled += bytes;
  }
}
