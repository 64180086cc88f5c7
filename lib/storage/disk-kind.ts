import fs from "node:fs";

/**
 * File systems of a disk in this machine, or of its memory (statfs(2)): ext2 to ext4, xfs, btrfs, f2fs, bcachefs, zfs,
 * jfs, tmpfs, ramfs, overlay, vfat, exfat, ntfs3. Networks (NFS, SMB), what a virtual machine's host lends (9p, virtiofs)
 * and FUSE, which may be any of it, are not among them.
 */
const OWN_DISKS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x3153464a, 0x01021994, 0x858458f6, 0x794c7630,
  0x4d44, 0x2011bab0, 0x7366746e,
]);

/** Whether the disk of `path` is in this machine; false where that can't be known. @throws the system's error */
export function isOwnDisk(path: string): boolean {
  return process.platform === "linux" && OWN_DISKS.has(fs.statfsSync(path).type >>> 0);
}
