import fs from "node:fs";

/**
 * File systems of a disk in this machine, or of its memory (statfs(2)): ext2 to ext4, xfs, btrfs, f2fs, bcachefs, zfs,
 * jfs, tmpfs, ramfs, overlay, vfat, exfat, ntfs3. Not among them: networks (NFS, SMB), shares of a virtual machine's
 * host (9p, virtiofs), and FUSE, which may be any of these.
 */
const OWN_DISKS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x3153464a, 0x01021994, 0x858458f6, 0x794c7630,
  0x4d44, 0x2011bab0, 0x7366746e,
]);

/** vfat, exfat, FUSE, cifs, smb2: they may number files in the order in which they are first read. */
const PASSING_NUMBERS = new Set([0x4d44, 0x2011bab0, 0x65735546, 0xff534d42, 0xfe534d42]);

/** Whether the disk of `path` is in this machine; false if that is unknown. @throws the system's error */
export function isOwnDisk(path: string): boolean {
  return process.platform === "linux" && OWN_DISKS.has(fs.statfsSync(path).type >>> 0);
}

const OVERLAY = 0x794c7630;

/** Whether the system reports all changes on the disk of `path`, whoever makes them. False if that is unknown. */
export function isTelling(path: string): boolean {
  const type = typeOf(path);
  return OWN_DISKS.has(type) && type !== OVERLAY;
}

/**
 * Whether others may write there without a report by the system. False for an overlay, whose layers nobody should
 * touch.
 */
export function isWrittenByOthers(path: string): boolean {
  return !OWN_DISKS.has(typeOf(path));
}

/** Whether files there keep their inode numbers when the disk is mounted again: not on FAT, exFAT, FUSE and SMB. */
export function hasLastingNumbers(path: string): boolean {
  return process.platform !== "linux" || !PASSING_NUMBERS.has(typeOf(path));
}

function typeOf(path: string): number {
  try {
    return fs.statfsSync(path).type >>> 0;
  } catch {
    return 0;
  }
}
