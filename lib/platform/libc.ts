import { type AclCalls, loadAclCalls } from "./acl-calls.ts";
import { onLinux } from "./c-library.ts";
import { type FileCalls, loadFileCalls } from "./file-calls.ts";
import { type InotifyCalls, loadInotify } from "./inotify-calls.ts";
import { loadSocketCalls, type SocketCalls } from "./socket-calls.ts";

/**
 * Calls of the system's C library that Bun has no name for. Each is undefined where the system lacks it, whatever the
 * others are. All are undefined where the program may make no code at run time, which bun:ffi needs (systemd's
 * MemoryDenyWriteExecute).
 */
export interface Libc extends FileCalls, AclCalls, SocketCalls {
  readonly inotify: InotifyCalls | undefined;
}

let loaded: Libc | undefined;

/** Loaded when first needed: a client that only talks need not pay for it. */
export function libc(): Libc {
  loaded ??= {
    ...loadFileCalls(),
    ...loadAclCalls(),
    ...loadSocketCalls(),
    inotify: onLinux(loadInotify),
  };
  return loaded;
}
