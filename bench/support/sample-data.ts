import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const PIECE = 16 * 1024 * 1024;

/** A file of random bytes, so that compression gains nothing. */
export function makeFile(path: string, bytes: number): void {
  const file = openSync(path, "w");
  const piece = new Uint8Array(Math.min(PIECE, bytes));
  for (let written = 0; written < bytes; ) {
    randomFillSync(piece);
    written += writeSync(file, piece, 0, Math.min(piece.length, bytes - written));
  }
  closeSync(file);
}

/** A sparse file: it takes no space, and no program can tell. */
export function makeSparseFile(path: string, bytes: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
}

/** `files` files of `bytes` random bytes each, spread over `folders` folders. @returns their paths in `path` */
export function makeTree(path: string, { files, folders, bytes }: { files: number; folders: number; bytes: number }) {
  const names = Array.from({ length: files }, (_, index) => join(`folder-${index % folders}`, `file-${index}.bin`));
  for (let folder = 0; folder < folders; folder++) mkdirSync(join(path, `folder-${folder}`), { recursive: true });
  const content = new Uint8Array(bytes);
  for (const name of names) writeFileSync(join(path, name), randomFillSync(content));
  return names;
}

/** SHA-256 of a file, or of a folder's names and contents. */
export async function digest(path: string): Promise<string> {
  const names = namesIn(path);
  const hasher = new Bun.CryptoHasher("sha256");
  for (const name of names) {
    hasher.update(`${name}\0`);
    for await (const piece of Bun.file(join(path, name)).stream()) hasher.update(piece);
  }
  return hasher.digest("hex");
}

/** The files in a folder, in order; for a file a single empty name. */
function namesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return entries.map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1)).sort();
  } catch {
    return [""];
  }
}
