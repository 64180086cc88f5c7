import { libc } from "./libc.ts";

const ROOT = 0;

/**
 * Whether the process at the other end of a Unix socket was this user's or root's when it connected. The permissions of
 * the socket ensure the same, but not every disk keeps them. True if the system can't be asked.
 */
export function isOwnPeer(socket: number): boolean {
  const user = libc().peerUser?.(socket);
  return user === undefined || user === ROOT || user === process.geteuid?.();
}
