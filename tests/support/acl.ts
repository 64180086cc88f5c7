import fs from "node:fs";
import { libc } from "../../lib/platform/libc.ts";
import { TempFolder } from "./temp-folder.ts";

/** Tags of entries in a POSIX access control list, in Linux's form (linux/posix_acl_xattr.h). */
const TAGS = { owner: 0x01, user: 0x02, group: 0x04, namedGroup: 0x08, mask: 0x10, others: 0x20 } as const;
const VERSION = 2;
const NOBODY_IN_PARTICULAR = 0xffff_ffff;

/** One entry: who, with the id of a named user or group, and three bits. */
export type AclEntry = readonly [who: keyof typeof TAGS, may: number, id?: number];

export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(VERSION, 0);
  for (const [at, [who, may, id = NOBODY_IN_PARTICULAR]] of entries.entries()) {
    bytes.writeUInt16LE(TAGS[who], 4 + 8 * at);
    bytes.writeUInt16LE(may, 6 + 8 * at);
    bytes.writeUInt32LE(id, 8 + 8 * at);
  }
  return bytes;
}

/** @throws when the disk supports no lists */
export function setAcl(path: string, entries: readonly AclEntry[]): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    if (libc().setAcl?.(fd, encodeAcl(entries)) !== true) throw new Error(`no access control list for ${path}`);
  } finally {
    fs.closeSync(fd);
  }
}

/** "" for none. */
export function aclOf(path: string): string {
  const acl = libc().getAcl?.(path);
  return acl === undefined ? "" : Buffer.from(acl).toString("hex");
}

/** Why lists can't be tested here; undefined if they can. In CI they must be. */
export const noAcls: string | undefined = reason();

/** The name of a test that may be skipped, with the reason when it is. */
export function aclTest(name: string): string {
  return noAcls === undefined ? name : `${name} (skipped: ${noAcls})`;
}

function reason(): string | undefined {
  if (process.platform !== "linux") return "only Linux has lists of this kind";
  using folder = new TempFolder();
  const file = folder.join("file");
  fs.writeFileSync(file, "");
  try {
    setAcl(file, [
      ["owner", 6],
      ["user", 4, 1],
      ["group", 0],
      ["mask", 4],
      ["others", 0],
    ]);
    return undefined;
  } catch {
    return "the disk of the temp folder keeps no access control lists";
  }
}
