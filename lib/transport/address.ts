import { CommError } from "../errors.ts";
import { isIPv4, isIPv6 } from "./ip-address.ts";

/** An address that a server listens on, or a client connects to. */
export type Address =
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      /** An IP address of the host, found by other means than the system's; its certificate is still that of the host. */
      readonly ip?: string;
    }
  | {
      readonly kind: "unix";
      readonly path: string;
    };

export const DEFAULT_PORT = 5050;

const UNIX_PREFIX = "unix:";
const BRACKETED = /^\[([^\]]+)\](?::(\d+))?$/;
const HOST_PORT = /^([\p{L}\p{N}._-]+)(?::(\d+))?$/u;

/**
 * Read `HOST`, `HOST:PORT`, `[IPV6]:PORT`, a bare IPv6 address, or `unix:PATH`.
 *
 * @throws CommError MALFORMED
 */
export function parseAddress(text: string): Address {
  if (text.startsWith(UNIX_PREFIX) && text.length > UNIX_PREFIX.length) {
    return { kind: "unix", path: text.slice(UNIX_PREFIX.length) };
  }
  const { host, port } = splitHostPort(text);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new CommError("MALFORMED", `"${text}" is not an address: write HOST:PORT, [IPV6]:PORT or unix:PATH.`);
  }
  return { kind: "tcp", host, port };
}

function splitHostPort(text: string): { host: string | undefined; port: number } {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const [, ipv6, ipv6Port = DEFAULT_PORT] = BRACKETED.exec(text) ?? [];
  if (ipv6 !== undefined) return { host: isIPv6(ipv6) ? ipv6 : undefined, port: Number(ipv6Port) };
  const [, host, port = DEFAULT_PORT] = HOST_PORT.exec(text) ?? [];
  return { host, port: Number(port) };
}

/** True for a link-local IPv6 address (fe80::/10) without its network interface. */
export function isScopeless(host: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(host) && isIPv6(host) && !host.includes("%");
}

/** True for this machine itself: 127.0.0.0/8, `::1` and `localhost`, but not for a name such as `127.example.org`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

export function formatAddress(address: Address): string {
  return address.kind === "unix" ? `${UNIX_PREFIX}${address.path}` : formatHostPort(address.host, address.port);
}

/** An IPv4 address without the IPv6 prefix (`::ffff:192.0.2.7`) that a listener for both adds. */
export function plainHost(host: string): string {
  return host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host;
}

/** `host:port` with the plain host; an IPv6 address is in brackets. */
export function formatHostPort(host: string, port: number): string {
  const plain = plainHost(host);
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
