import { errnoOf } from "../errno.ts";
import { TransportError } from "../errors.ts";
import { routeFault } from "../platform/route-fault.ts";
import { type Address, formatAddress, isLoopback, isScopeless } from "./address.ts";
import { isIPv4, isIPv6 } from "./ip-address.ts";

/**
 * When nobody answers for an address, Bun reports a refused connection, after the system has tried for three seconds.
 */
const UNANSWERED_MS = 2_500;

const NO_SOURCE = "this machine has no address from which to connect";

/** The error of a failed connection, with the reason. `elapsedMs`: how long it took to fail. */
export async function cannotConnect(address: Address, cause: unknown, elapsedMs: number): Promise<TransportError> {
  const why = await faultOf(address, cause, elapsedMs);
  return new TransportError("CANNOT_CONNECT", `Cannot connect to ${formatAddress(address)}: ${why}.`, { cause });
}

async function faultOf(address: Address, cause: unknown, elapsedMs: number): Promise<string> {
  const code = errnoOf(cause);
  if (address.kind === "unix") return connectFault(code, cause);
  const { host } = address;
  if (isScopeless(host)) return `it is a link-local address, and needs the network interface: [${host}%eth0]`;
  if (code !== "ENOTFOUND" && !isLoopback(host)) {
    const way = await wayFault(host);
    if (way !== undefined) return way;
    if (code === "ECONNREFUSED" && elapsedMs >= UNANSWERED_MS) return "the host does not answer";
  }
  return connectFault(code, cause);
}

/** Why this machine has no route to any address of the host. */
async function wayFault(host: string): Promise<string | undefined> {
  const hosts = isIPv4(host) || isIPv6(host) ? [host] : await addressesOf(host);
  const faults = hosts.map(routeFault);
  const [first] = faults;
  if (first === undefined || faults.includes(undefined)) return undefined;
  const scope = /%(.*)$/.exec(host)?.[1];
  switch (first) {
    case "ENETUNREACH":
      return "this machine has no route to that network";
    case "EHOSTUNREACH":
      return "this machine has no route to that host";
    case "ENETDOWN":
      return "the network is down";
    case "EACCES":
    case "EPERM":
      return "this machine's network forbids it";
    case "EADDRNOTAVAIL":
      return NO_SOURCE;
    case "ENODEV":
      return `there is no network interface "${scope}"`;
    default:
      return "this machine's routes lead nowhere for that address";
  }
}

/** None when the name can't be looked up. */
async function addressesOf(name: string): Promise<string[]> {
  // Loaded for this alone: it makes every start longer.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

function connectFault(code: string, cause: unknown): string {
  switch (code) {
    case "ECONNREFUSED":
      return "nobody listens there";
    case "ENOENT":
      return "there is no such socket";
    case "EACCES":
      return "permission denied";
    case "ENOTFOUND":
      return "there is no host of that name";
    case "EAI_AGAIN":
      return "its name can't be looked up at present: no name server answers";
    case "EADDRNOTAVAIL":
      return NO_SOURCE;
    case "ETIMEDOUT":
      return "the host does not answer";
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
