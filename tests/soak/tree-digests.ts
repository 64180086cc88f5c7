import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const UNFINISHED = /\.commserver-(part|journal)$/;
const LOCK = ".commserver-lock";

export interface Seen {
  /** SHA-256 of each file, by its path. */
  readonly files: Map<string, string>;
  /** Paths of parts, journals and locks. */
  readonly unfinished: string[];
  readonly bytes: number;
}

/** All files below `folder`, with `prefix` in front of each path. */
export function lookAt(folder: string, prefix = ""): Seen {
  const files = new Map<string, string>();
  const unfinished: string[] = [];
  let bytes = 0;
  if (!existsSync(folder)) return { files, unfinished, bytes };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const place = join(entry.parentPath, entry.name);
    const path = prefix + relative(folder, place);
    // A lock is a folder with a file in it.
    if (entry.parentPath.endsWith(LOCK)) {
      unfinished.push(prefix + relative(folder, entry.parentPath));
      continue;
    }
    if (UNFINISHED.test(entry.name)) {
      unfinished.push(path);
      continue;
    }
    const content = readFileSync(place);
    bytes += content.length;
    files.set(path, sha256(content));
  }
  return { files, unfinished, bytes };
}

export function sha256(content: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex");
}
