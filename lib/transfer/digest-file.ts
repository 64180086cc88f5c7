import type { OpenFile } from "../storage/storage.ts";
import { storageFault } from "../storage-faults.ts";

const READ_BYTES = 512 * 1024;

/** An incremental SHA-256, such as `new Bun.CryptoHasher("sha256")`. */
export interface Sha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/**
 * The SHA-256 of an open file in hexadecimal. Reads ahead by one buffer. The caller closes the file. `onPiece` is
 * called with the bytes of each piece and awaited; an error that it throws ends the reading.
 *
 * @throws StorageError CHANGED when the file changes or grows meanwhile; StorageError when it can't be read; as
 * `onPiece`
 */
export async function digestFile(
  file: OpenFile,
  sha256: Sha256,
  onPiece?: (bytes: number) => void | Promise<void>,
): Promise<string> {
  // The extra byte shows whether the file has grown.
  const length = Math.min(READ_BYTES, file.entry.size + 1);
  const buffers = [new Uint8Array(length), new Uint8Array(length)] as const;
  let position = 0;
  let next = file.read(buffers[0], 0);
  for (let turn = 1; ; turn++) {
    const bytes = await next;
    if (bytes === 0) break;
    position += bytes;
    // At once: a file that grows as fast as it is read has no end.
    if (position > file.entry.size || file.hasGrown) throw storageFault.changed(file.entry.path);
    next = file.read(buffers[turn % 2] as Uint8Array, position);
    next.catch(() => {}); // awaited in the next round
    sha256.update((buffers[(turn + 1) % 2] as Uint8Array).subarray(0, bytes));
    await onPiece?.(bytes);
  }
  if (file.hasGrown) throw storageFault.changed(file.entry.path);
  return sha256.digest("hex");
}
