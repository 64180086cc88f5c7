import { BLOCK_BYTES, type Range, seedOf } from "../../lib/block.ts";
import { digest64 } from "../../lib/storage/digest64.ts";
import { type ExistsPolicy, type FileFacts, isSmall, type PartFile, type Storage } from "../../lib/storage/storage.ts";

/** Facts of a source with this content. */
export function factsOf(content: Uint8Array, changes: Partial<FileFacts> = {}): FileFacts {
  return { size: content.length, modifiedAt: 1_700_000_000_123, executable: false, etag: "etag-1", ...changes };
}

/** The blocks of `ranges`, each with its offset. */
export function blocksOf(content: Uint8Array, ranges: readonly Range[]): { offset: number; bytes: Uint8Array }[] {
  const blocks: { offset: number; bytes: Uint8Array }[] = [];
  for (const [from, to] of ranges) {
    for (let offset = from; offset < to; offset += BLOCK_BYTES) {
      blocks.push({ offset, bytes: content.subarray(offset, Math.min(to, offset + BLOCK_BYTES)) });
    }
  }
  return blocks;
}

export function writeBlock(part: PartFile, content: Uint8Array, offset: number): Promise<boolean> {
  const bytes = content.subarray(offset, offset + BLOCK_BYTES);
  return part.write(offset, bytes, digest64(bytes, seedOf(offset)));
}

/** Write the missing blocks one by one; returns the number of written bytes. */
export async function writeMissing(part: PartFile, content: Uint8Array): Promise<number> {
  let written = 0;
  for (const { offset, bytes } of blocksOf(content, part.missing)) {
    await writeBlock(part, content, offset);
    written += bytes.length;
  }
  return written;
}

export interface StoreOptions extends Partial<FileFacts> {
  readonly exists?: ExistsPolicy;
}

/** Store a file as a receiver does: a small one at once, a large one block by block. Returns its path. */
export async function store(
  storage: Storage,
  path: string,
  content: Uint8Array,
  { exists = "fail", ...changes }: StoreOptions = {},
): Promise<string> {
  const facts = factsOf(content, changes);
  if (isSmall(facts)) return storage.store(path, facts, exists, content);
  const part = await storage.receive(path, facts, exists);
  await writeMissing(part, content);
  return part.commit();
}
