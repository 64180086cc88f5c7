import { UsageError } from "../errors.ts";

/** Where a server listens or a client connects to. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "unix";
      readonly path: string;
    };

export const DEFAULT_PORT = 5050;

const UNIX_PREFIX = "unix:";
const BRACKETED = /^\[([^\]]+)\](?::(\d+))?$/;
const HOST_PORT = /^([^:]+)(?::(\d+))?$/;

/**
 * Read `HOST`, `HOST:PORT`, `[IPV6]:PORT`, a bare IPv6 address, or `unix:PATH`.
 *
 * @throws UsageError
 */
export function parseAddress(text: string): Address {
  if (text.startsWith(UNIX_PREFIX) && text.length > UNIX_PREFIX.length) {
    return { kind: "unix", path: text.slice(UNIX_PREFIX.length) };
  }
  const match = BRACKETED.exec(text) ?? HOST_PORT.exec(text);
  const host = match?.[1] ?? (text.includes("::") || text.split(":").length === 8 ? text : undefined);
  const port = match?.[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UsageError(`"${text}" is not an address: write HOST:PORT, [IPV6]:PORT or unix:PATH.`);
  }
  return { kind: "tcp", host, port };
}

export function formatAddress(address: Address): string {
  return address.kind === "unix" ? `${UNIX_PREFIX}${address.path}` : formatHostPort(address.host, address.port);
}

/** `host:port`, with an IPv6 host in brackets and an IPv4 one freed of its IPv6 dress. */
export function formatHostPort(host: string, port: number): string {
  const plain = host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host;
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
