import fs, { type Stats } from "node:fs";
import { libc } from "../../platform/libc.ts";
import type { ExistsPolicy, FileFacts } from "../storage.ts";
import type { OpenFolder } from "./open-folder.ts";
import { fileMode, HAS_MODES, OWN_FILE, withoutGroup } from "./rights.ts";

/** Owner and permissions of a file that will be replaced. */
export interface Replaced {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Its access control list in Linux's form; "unknown" if it can't be read. */
  readonly acl: Uint8Array | "unknown" | undefined;
}

/** The permissions of an incoming file. */
export interface Rights {
  /** The mode of its source, as in FileFacts; or less. */
  readonly mode: number | undefined;
  /** The file whose permissions it takes over; until it has them, only its owner may use it. */
  readonly replaced: Replaced | undefined;
}

/**
 * The permissions of a file that is stored under `name` now. The present file counts only with "overwrite".
 *
 * @throws the system's error
 */
export function rightsFor(folder: OpenFolder, name: string, facts: FileFacts, exists: ExistsPolicy): Rights {
  const place = folder.at(name);
  const there = exists === "overwrite" && HAS_MODES ? fs.lstatSync(place, { throwIfNoEntry: false }) : undefined;
  if (there?.isFile()) {
    const { uid, gid } = there;
    return { mode: OWN_FILE, replaced: { mode: there.mode & 0o777, uid, gid, acl: aclAt(place) } };
  }
  const target = there?.isSymbolicLink() ? targetOf(place) : undefined;
  // The link is replaced. Others get no more permissions than they had on its target.
  const mode = target === undefined ? facts.mode : fileMode(facts.mode) & (withoutGroup(target.mode) | OWN_FILE);
  return { mode, replaced: undefined };
}

/**
 * Give an open file the permissions of the file that it will replace. Until then only its owner may use it, and at no
 * moment does anybody have more permissions than in the end. Permissions that can't be kept are dropped, so that nobody
 * gets more than before: another group gets those of all others.
 *
 * @throws the system's error
 */
export function takeRights(fd: number, from: Replaced): void {
  const own = fs.fstatSync(fd);
  if ((own.mode & 0o077) !== 0) fs.fchmodSync(fd, OWN_FILE);
  const { uid, gid } = giveTo(fd, own, from);
  const { removeAcl, setAcl } = libc();
  // The folder may have given it an access list, which has no effect while the group has no permissions.
  removeAcl?.(fd);
  try {
    fs.fchmodSync(
      fd,
      modeLike(from, gid, (acl) => setAcl?.(fd, acl) === true),
    );
  } catch (cause) {
    // The file now belongs to another user, and its mode can't be set any more: only its owner may use it.
    if (uid === own.uid) throw cause;
  }
}

function modeLike({ mode, gid, acl }: Replaced, group: number, set: (acl: Uint8Array) => boolean): number {
  if (acl === undefined) return group === gid ? mode : withoutGroup(mode);
  // With an access list, the group's bits are the maximum for everybody on it: too much, if the list may be lost.
  if (acl === "unknown") return withoutGroup(mode);
  return group === gid && set(acl) ? mode : mode & 0o700;
}

/**
 * Give the file to the owner and group of `to`, or at least to the group, if the system allows it.
 *
 * @returns its owner and group
 * @throws the system's error
 */
function giveTo(fd: number, own: Stats, to: { readonly uid: number; readonly gid: number }): Stats {
  if (own.uid === to.uid && own.gid === to.gid) return own;
  for (const uid of new Set([to.uid, own.uid])) {
    try {
      fs.fchownSync(fd, uid, to.gid);
      break;
    } catch {
      // not allowed to this user
    }
  }
  return fs.fstatSync(fd);
}

function aclAt(place: string): Replaced["acl"] {
  // On other systems the list is separate from the mode.
  if (process.platform !== "linux") return undefined;
  const { getAcl } = libc();
  return getAcl === undefined ? "unknown" : getAcl(place);
}

/** undefined when it leads to no file. */
function targetOf(link: string): Stats | undefined {
  try {
    const target = fs.statSync(link);
    return target.isFile() ? target : undefined;
  } catch {
    return undefined;
  }
}
