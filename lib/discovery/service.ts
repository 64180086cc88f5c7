/** What a server says of itself on its networks, as DNS-SD records. Source: PROTOCOL.md, "Discovery". */

import { isIPv4, isIPv6 } from "../transport/ip-address.ts";

/** The service type, with the domain of multicast DNS. */
export const SERVICE = "_commserver._tcp.local";

/** The version of the TXT record. */
const TXT_VERSION = "1";

/** Source: RFC 1035, section 2.3.4. */
const MAX_LABEL_BYTES = 63;
/** What a name gets that is taken already: ` (5B6C)`. */
const RENAMED_BYTES = 7;

export interface ServerFacts {
  /** Of the certificate: `SHA256:…`; null without encryption. */
  readonly fingerprint: string | null;
  readonly seats: number;
  /** The only IP address that the server listens on; undefined: all of its machine. */
  readonly address?: string | undefined;
}

/** What a TXT record tells; a value that makes no sense is left out. */
export interface ReadFacts {
  /** undefined: not told. */
  readonly isEncrypted?: boolean;
  readonly fingerprint?: string;
  readonly seats?: number;
  readonly address?: string;
}

/** A server that has announced itself. Nothing of this is proven. */
export interface FoundServer extends Omit<ReadFacts, "address"> {
  readonly name: string;
  readonly port: number;
  /** IP addresses, the likeliest first; the name of its machine if no address came with it. Never empty. */
  readonly hosts: readonly string[];
}

/** The keys and values of the TXT record. */
export function factsToTxt({ fingerprint, seats, address }: ServerFacts): Record<string, string> {
  return {
    txtvers: TXT_VERSION,
    tls: fingerprint === null ? "0" : "1",
    ...(fingerprint !== null && { fp: fingerprint }),
    seats: String(seats),
    ...(address !== undefined && { at: address }),
  };
}

/** Read the strings of a TXT record: "A client MUST ignore the record of another version" (PROTOCOL.md, "Discovery"). */
export function factsFromTxt(strings: readonly Uint8Array[]): ReadFacts {
  const values = new Map<string, string>();
  for (const bytes of strings) {
    const [, key, value] = /^([\x20-\x3c\x3e-\x7e]+)=(.*)$/s.exec(new TextDecoder().decode(bytes)) ?? [];
    // Of several with one key, the first counts (RFC 6763, section 6.4).
    const name = key?.toLowerCase();
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
  }
  if (values.get("txtvers") !== TXT_VERSION) return {};
  const tls = values.get("tls");
  const fingerprint = values.get("fp") ?? "";
  const seats = values.get("seats") ?? "";
  const address = values.get("at") ?? "";
  return {
    ...((tls === "0" || tls === "1") && { isEncrypted: tls === "1" }),
    ...(/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint) && tls === "1" && { fingerprint }),
    ...(/^[1-9]\d{0,5}$/.test(seats) && { seats: Number(seats) }),
    ...((isIPv4(address) || isIPv6(address)) && { address }),
  };
}

/**
 * True for a name that a server can be announced by: the library takes dots and backslashes for syntax, and fails with
 * other characters than ASCII (findings/dnssd-advertise-names.sh).
 */
export function isInstanceName(name: string): boolean {
  return /^[!-~]([ -~]*[!-~])?$/.test(name) && !/[.\\]/.test(name) && name.length <= MAX_LABEL_BYTES - RENAMED_BYTES;
}

/** The instance's own name in `NAME._commserver._tcp.local`; undefined for the name of anything else. */
export function instanceName(fullName: string): string | undefined {
  const name = fullName.slice(0, -SERVICE.length - 1);
  const isOurs = fullName.toLowerCase() === `${name.toLowerCase()}.${SERVICE}`;
  return isOurs && name !== "" && Buffer.byteLength(name) <= MAX_LABEL_BYTES ? name : undefined;
}
