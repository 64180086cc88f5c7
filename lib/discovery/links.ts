import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";

/** A way to ask the machines of one network, over IPv4 or IPv6. */
export interface Link {
  readonly type: "udp4" | "udp6";
  /** Multicast DNS's group (RFC 6762, section 3). */
  readonly group: string;
  /** The own interface, as the system's calls for multicast take it. */
  readonly interface: string;
  /** All addresses of this machine. */
  readonly any: string;
}

/** The ways to this machine's networks; to itself alone if it is on none. */
export function ownLinks(): Link[] {
  const all = Object.entries(networkInterfaces());
  const outside = all.filter(([, list]) => list?.some(({ internal }) => !internal));
  return (outside.length > 0 ? outside : all).flatMap(([name, list = []]) => {
    const v4 = list.find(({ family }) => family === "IPv4");
    const v6 = list.find(({ family }) => family === "IPv6");
    const scope = process.platform === "win32" && v6?.family === "IPv6" ? v6.scopeid : name;
    const links: Link[] = [];
    if (v4 !== undefined) links.push({ type: "udp4", group: "224.0.0.251", interface: v4.address, any: "0.0.0.0" });
    if (v6 !== undefined) links.push({ type: "udp6", group: "ff02::fb", interface: `::%${scope}`, any: "::" });
    return links;
  });
}

/** Which machines an answer may come from. */
export interface Neighbours {
  /** Source: RFC 6762, section 11. */
  isOnLink(address: string): boolean;
  isOwn(address: string): boolean;
}

/** Those that share a network with this machine now. */
export function ownNeighbours(): Neighbours {
  const own = new Set<string>();
  const near = new BlockList();
  for (const { address, netmask, family, cidr } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    own.add(plain(address));
    const length = Number(cidr?.split("/")[1] ?? (family === "IPv4" ? prefixOf(netmask) : 64));
    near.addSubnet(plain(address), length, family === "IPv4" ? "ipv4" : "ipv6");
  }
  return {
    isOnLink: (address) => near.check(plain(address), address.includes(":") ? "ipv6" : "ipv4"),
    isOwn: (address) => own.has(plain(address)),
  };
}

function prefixOf(netmask: string): number {
  return netmask.split(".").reduce((sum, byte) => sum + (Number(byte).toString(2).match(/1/g)?.length ?? 0), 0);
}

/** Without the zone. */
function plain(address: string): string {
  return address.replace(/%.*$/, "");
}
