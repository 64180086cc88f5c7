import fs, { type StatsFs } from "node:fs";

/**
 * What statfs(2) tells; Bun also tells the unit of the blocks, which is another than the size of a good read on some
 * disks.
 */
type Told = Pick<StatsFs, "bavail" | "blocks" | "bsize"> & { readonly frsize?: number };

/** Bytes that the disk of `path` has room for; Infinity where it does not say. @throws the system's error */
export function freeBytes(path: string): number {
  return freeOf(fs.statfsSync(path));
}

/** As freeBytes(), on a disk that may take its time. */
export async function askFreeBytes(path: string): Promise<number> {
  return freeOf(await fs.promises.statfs(path));
}

/** A disk of no blocks at all has no limit (ramfs, tmpfs with size=0), or does not know (FUSE): it is not full. */
export function freeOf({ bavail, blocks, bsize, frsize }: Told): number {
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * (frsize || bsize);
}
