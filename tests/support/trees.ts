import type { MemoryStorage } from "../../lib/storage/memory-storage.ts";
import type { Random } from "./random.ts";
import { BLOCK } from "./raw-chunks.ts";
import { sha256Of } from "./transfers.ts";

/** Paths with their content; those that end with a slash are folders. */
export type Tree = Readonly<Record<string, Uint8Array>>;

/** An empty file, an empty folder, small files, and a file of three blocks, the last of them short. */
export function smallTree(random: Random, bigBytes = 2 * BLOCK + 5_000): Tree {
  return {
    "big.bin": random.bytes(bigBytes),
    "docs/a.txt": random.bytes(1_000),
    "docs/b.txt": random.bytes(20_000),
    "docs/deep/c.txt": random.bytes(70_000),
    "docs/empty.txt": new Uint8Array(0),
    "empty/": new Uint8Array(0),
    "last.txt": random.bytes(7),
  };
}

/** The bytes of all files together. */
export function bytesOf(tree: Tree): number {
  return Object.values(tree).reduce((sum, { length }) => sum + length, 0);
}

/** The expected result of digestsOf() in transfers.ts. */
export function digestsOfTree(tree: Tree): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const [path, content] of Object.entries(tree)) {
    const name = path.replace(/\/$/, "");
    digests[name] = path.endsWith("/") ? "" : sha256Of(content);
    for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) digests[name.slice(0, at)] = "";
  }
  return digests;
}

/** The time of the files of fill(). */
const MODIFIED_AT = Date.now();

/** Fill an empty storage. */
export async function fill(storage: MemoryStorage, tree: Tree): Promise<void> {
  for (const [path, content] of Object.entries(tree)) {
    if (path.endsWith("/")) await storage.makeFolder(path.slice(0, -1));
    else storage.set(path, content, MODIFIED_AT);
  }
}
