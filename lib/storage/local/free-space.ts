import fs, { type StatsFs } from "node:fs";

/**
 * The result of statfs(2). Bun also returns the unit of the blocks, which differs from the preferred read size on some
 * disks.
 */
type Told = Pick<StatsFs, "bavail" | "blocks" | "bsize"> & { readonly frsize?: number };

/** Free bytes on the disk of `path`; Infinity if it does not say. @throws the system's error */
export function freeBytes(path: string): number {
  return freeOf(fs.statfsSync(path));
}

/** As freeBytes(), for a disk that may be slow. */
export async function askFreeBytes(path: string): Promise<number> {
  return freeOf(await fs.promises.statfs(path));
}

/** A disk with no blocks at all has no limit (ramfs, tmpfs with size=0), or does not know it (FUSE): it is not full. */
export function freeOf({ bavail, blocks, bsize, frsize }: Told): number {
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * (frsize || bsize);
}
