import { type PeerAddress, UNKNOWN_ADDRESS } from "../session/transport.ts";
import { isLoopback, plainHost } from "./address.ts";
import { isIPv4, isIPv6 } from "./ip-address.ts";

/** The address of every peer on a Unix socket: all run on this machine. */
export const UNIX_ADDRESS: PeerAddress = { group: "unix", isLoopback: true };

/** The address of a peer at `host`, as the system reports it. Anything but an IP address counts as unknown. */
export function peerAddressOf(host: string | undefined): PeerAddress {
  if (host === undefined) return UNKNOWN_ADDRESS;
  const plain = plainHost(host);
  if (isIPv4(plain)) return { group: plain, isLoopback: isLoopback(plain) };
  if (isIPv6(plain)) return { group: networkOf(plain), isLoopback: isLoopback(plain) };
  return UNKNOWN_ADDRESS;
}

/** The network of an address, as `2001:db8:0:1::/64`: the usual allocation of a household or a machine. */
function networkOf(address: string): string {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Math.max(0, 8 - left.length - right.length);
  const words = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${words
    .slice(0, 4)
    .map((word) => Number.parseInt(word, 16).toString(16))
    .join(":")}::/64`;
}
