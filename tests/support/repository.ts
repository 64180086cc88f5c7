import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ListOptions, Storage, StorageEntry } from "../../lib/storage/storage.ts";

/** Write files below `folder`, and create the folders on the way. */
export function writeTree(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

export interface Walk {
  readonly entries: StorageEntry[];
  readonly paths: string[];
  readonly skipped: number;
}

/** A whole `list`, at once. */
export async function walk(storage: Storage, path = "", enter: ListOptions["enter"] = () => true): Promise<Walk> {
  const skipped = { count: 0 };
  const entries: StorageEntry[] = [];
  for await (const batch of storage.list(path, { enter, skipped })) entries.push(...batch);
  return { entries, paths: entries.map((entry) => entry.path), skipped: skipped.count };
}

/** The whole content of a file, read through open() in pieces of `step` bytes. */
export async function readWhole(storage: Storage, path: string, step = 64 * 1024): Promise<Buffer> {
  const file = await storage.open(path);
  try {
    const pieces: Buffer[] = [];
    const buffer = new Uint8Array(step);
    for (let position = 0; ; ) {
      const bytes = await file.read(buffer, position);
      if (bytes === 0) return Buffer.concat(pieces);
      pieces.push(Buffer.from(buffer.subarray(0, bytes)));
      position += bytes;
    }
  } finally {
    await file.close();
  }
}
