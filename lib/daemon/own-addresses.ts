import { networkInterfaces } from "node:os";
import { DEFAULT_PORT, formatHostPort } from "../transport/address.ts";

/** Addresses in an invite, at most. */
const MAX_ADDRESSES = 8;

/** Where others reach a server that listens at `host` (undefined: everywhere) and `port`. */
export function ownAddresses(host: string | undefined, port = DEFAULT_PORT): string[] {
  // By which interface it is reached is another thing on each machine.
  if (host !== undefined && host !== "::" && host !== "0.0.0.0")
    return [formatHostPort(host.replace(/%.*$/, ""), port)];
  const found = networkAddresses();
  const near = found.length === 0 ? linkLocalAddresses() : found;
  const hosts = near.length === 0 ? ["127.0.0.1"] : near;
  return hosts.slice(0, MAX_ADDRESSES).map((address) => formatHostPort(address, port));
}

/** Addresses of this machine that others may reach, IPv4 first; without those that mean another machine elsewhere. */
export function networkAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  return [
    ...outside.filter(({ family }) => family === "IPv4"),
    ...outside.filter(({ family }) => family === "IPv6"),
  ].map(({ address }) => address);
}

/** Link-local addresses: they mean this machine only on one network, to clients that are in it too. */
function linkLocalAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = all.filter(({ internal, address }) => !internal && address.startsWith("fe80:"));
  return addresses.map(({ address }) => address.replace(/%.*$/, ""));
}
