import { existsSync, readFileSync } from "node:fs";

/**
 * Whether nothing is on its way any more between the two ends of a connection of this machine, of which one has the
 * address `peer`: what is goes with a reset. True where the system does not tell (it is Linux's /proc/net/tcp), and for
 * what is no TCP.
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
