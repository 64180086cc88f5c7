import { networkInterfaces } from "node:os";
import { DEFAULT_PORT, formatHostPort } from "../transport/address.ts";

/** The most addresses in an invite. */
const MAX_ADDRESSES = 8;

/** Addresses of a server that listens on `host` (undefined: everywhere) and `port`, for others to connect to. */
export function ownAddresses(host: string | undefined, port = DEFAULT_PORT): string[] {
  // A zone (`%eth0`) means something only on this machine.
  if (host !== undefined && host !== "::" && host !== "0.0.0.0")
    return [formatHostPort(host.replace(/%.*$/, ""), port)];
  const found = networkAddresses();
  const near = found.length === 0 ? linkLocalAddresses() : found;
  const hosts = near.length === 0 ? ["127.0.0.1"] : near;
  return hosts.slice(0, MAX_ADDRESSES).map((address) => formatHostPort(address, port));
}

/**
 * Addresses at which others may reach this machine, IPv4 first; without those that mean a different machine elsewhere.
 */
export function networkAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  return [
    ...outside.filter(({ family }) => family === "IPv4"),
    ...outside.filter(({ family }) => family === "IPv6"),
  ].map(({ address }) => address);
}

/** Link-local addresses, which mean this machine only to clients on the same network. */
function linkLocalAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = all.filter(({ internal, address }) => !internal && address.startsWith("fe80:"));
  return addresses.map(({ address }) => address.replace(/%.*$/, ""));
}
