import { networkInterfaces } from "node:os";
import { type Address, isScopeless } from "../transport/address.ts";

/** The most networks in which a link-local address without a zone is tried. */
const MAX_SCOPES = 16;

/**
 * An address as it can be connected to, each of which leads to the same server or to none: a link-local address with a
 * zone, and a name in `.local`, which the system may not know, with IP addresses.
 */
export async function locate(
  address: Address,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Address[]> {
  if (address.kind !== "tcp") return [address];
  if (!/\.local\.?$/i.test(address.host)) return withScopes(address.host).map((host) => ({ ...address, host }));
  // Loaded for this alone: it makes every start longer.
  const { findHost } = await import("../discovery/find-host.ts");
  const ips = await findHost(address.host, timeoutMs, signal);
  // Without any, connecting says what is wrong.
  return ips.length === 0 ? [address] : ips.flatMap(withScopes).map((ip) => ({ ...address, ip }));
}

/** A link-local address without a zone refers to a machine on one of our networks, so it is tried on each. */
function withScopes(host: string): string[] {
  if (!isScopeless(host)) return [host];
  const near = Object.entries(networkInterfaces()).filter(([, list]) =>
    list?.some((one) => !one.internal && one.address.startsWith("fe80:")),
  );
  return near.length === 0 ? [host] : near.slice(0, MAX_SCOPES).map(([name]) => `${host}%${name}`);
}
