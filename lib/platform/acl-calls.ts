import { dlopen, ptr } from "bun:ffi";
import { LINUX_LIBC, onLinux, wholePath } from "./c-library.ts";

/** Calls for POSIX access control lists. Linux only. */
export interface AclCalls {
  /** The POSIX access control list (acl(5)) of the file at `path`, in the system's form; undefined if it has none. */
  readonly getAcl: ((path: string) => Uint8Array | undefined) | undefined;
  /** Give an open file such a list; false on failure. */
  readonly setAcl: ((fd: number, acl: Uint8Array) => boolean) | undefined;
  /** Remove the list of an open file, if it has one. */
  readonly removeAcl: ((fd: number) => void) | undefined;
}

export function loadAclCalls(): AclCalls {
  return { getAcl: onLinux(loadGetAcl), setAcl: onLinux(loadSetAcl), removeAcl: onLinux(loadRemoveAcl) };
}

/** The extended attribute in which Linux keeps such a list. */
const ACL = Buffer.from("system.posix_acl_access\0");
/** The system's limit for an extended attribute (XATTR_SIZE_MAX). */
const MAX_ACL_BYTES = 65_536;

function loadGetAcl(): AclCalls["getAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" } });
  let buffer: Uint8Array | undefined;
  return (path) => {
    buffer ??= new Uint8Array(MAX_ACL_BYTES);
    const bytes = Number(symbols.lgetxattr(wholePath(path), ptr(ACL), ptr(buffer), buffer.length));
    return bytes > 0 ? buffer.slice(0, bytes) : undefined;
  };
}

function loadSetAcl(): AclCalls["setAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" } });
  return (fd, acl) => symbols.fsetxattr(fd, ptr(ACL), ptr(acl), acl.length, 0) === 0;
}

function loadRemoveAcl(): AclCalls["removeAcl"] {
  const { symbols } = dlopen(LINUX_LIBC, { fremovexattr: { args: ["i32", "ptr"], returns: "i32" } });
  return (fd) => void symbols.fremovexattr(fd, ptr(ACL));
}
