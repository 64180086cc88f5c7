import { isIPv4, isIPv6 } from "node:net";

/** Where a peer comes from, for the limits that go by address. */
export interface PeerAddress {
  /** All addresses that one party may have count as one: an IPv4 address, or the first 64 bits of an IPv6 one. */
  readonly group: string;
  /** True for this machine itself, by a loopback address or without a network. */
  readonly isLoopback: boolean;
}

/** Read a transport's `peer`. What is no address of a network, as a Unix socket, is a group of its own. */
export function parsePeer(peer: string): PeerAddress {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+)):\d+$/.exec(peer) ?? [];
  if (bracketed !== undefined && isIPv6(bracketed)) {
    return { group: networkOf(bracketed), isLoopback: bracketed === "::1" };
  }
  if (plain !== undefined && isIPv4(plain)) return { group: plain, isLoopback: plain.startsWith("127.") };
  return { group: peer, isLoopback: true };
}

/** `2001:db8:0:1::/64`: what a household or a machine is given. */
function networkOf(address: string): string {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const words = [...left, ...Array<string>(zeros).fill("0"), ...right];
  return `${words
    .slice(0, 4)
    .map((word) => Number.parseInt(word, 16).toString(16))
    .join(":")}::/64`;
}
