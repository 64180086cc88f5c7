import { libc } from "./libc.ts";

const ROOT = 0;

/**
 * Whether the other end of a Unix socket is a process of this user, or of root, when it connected. The rights of the socket
 * say so too, but not on every disk. True where the system can't be asked.
 */
export function isOwnPeer(socket: number): boolean {
  const user = libc().peerUser?.(socket);
  return user === undefined || user === ROOT || user === process.geteuid?.();
}
