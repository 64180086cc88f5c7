import { type AclCalls, loadAclCalls } from "./acl-calls.ts";
import { onLinux } from "./c-library.ts";
import { type FileCalls, loadFileCalls } from "./file-calls.ts";
import { type InotifyCalls, loadInotify } from "./inotify-calls.ts";
import { loadServiceCalls, type ServiceCalls } from "./service-calls.ts";
import { loadSocketCalls, type SocketCalls } from "./socket-calls.ts";
import { loadStatCalls, type StatCalls } from "./stat-calls.ts";

/**
 * Calls of the system's C library that Bun does not offer. Each is undefined if the system lacks it, independently of
 * the others. All are undefined if the program may not generate code at run time, as bun:ffi must (systemd's
 * MemoryDenyWriteExecute).
 */
export interface Libc extends FileCalls, StatCalls, AclCalls, SocketCalls, ServiceCalls {
  readonly inotify: InotifyCalls | undefined;
}

let loaded: Libc | undefined;

/** Loaded when first needed: a client that only sends messages need not pay for it. */
export function libc(): Libc {
  loaded ??= {
    ...loadFileCalls(),
    ...loadStatCalls(),
    ...loadAclCalls(),
    ...loadSocketCalls(),
    ...loadServiceCalls(),
    inotify: onLinux(loadInotify),
  };
  return loaded;
}
