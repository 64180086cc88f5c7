import { existsSync, readFileSync } from "node:fs";

/**
 * Whether no bytes are in flight between the two ends of a connection on this machine, one of which has the address
 * `peer`: a reset would lose them. True where the system does not tell (only Linux's /proc/net/tcp does), and for
 * anything but TCP.
 */
export function isAllRead(peer: string): boolean {
  const [, port] = /:(\d+)$/.exec(peer) ?? [];
  if (port === undefined) return true;
  const suffix = `:${Number(port).toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].filter(existsSync).every((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, remote]) => local?.endsWith(suffix) || remote?.endsWith(suffix))
      .every(([, , , , queues]) => queues === "00000000:00000000"),
  );
}
