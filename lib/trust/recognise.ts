import { formatHostPort } from "../transport/address.ts";
import { isServerName, type KnownServer } from "./known-servers.ts";

/** A server as it announces itself. */
export interface Announced {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly isEncrypted?: boolean;
  readonly fingerprint?: string;
}

export interface Recognised {
  /** Known servers with its identity, or without encryption with its address; those that were joined come first. */
  readonly known: readonly KnownServer[];
  /** A known server of the same address or name that has another identity. */
  readonly differs: KnownServer | undefined;
}

/** What is known of a server that has announced itself. The announcement itself proves nothing. */
export function recognise(server: Announced, known: readonly KnownServer[]): Recognised {
  const addresses = server.hosts.map((host) => formatHostPort(host, server.port).toLowerCase());
  const isThere = (each: KnownServer) => each.addresses.some((address) => addresses.includes(address.toLowerCase()));
  const same = known.filter((each) =>
    server.isEncrypted === false ? each.identity === null && isThere(each) : each.identity === server.fingerprint,
  );
  if (same.length > 0) return { known: same.sort(joinedFirst), differs: undefined };
  const isPinned = ({ identity }: KnownServer) => identity?.startsWith("SHA256:") === true;
  const hasName = ({ name }: KnownServer) => name.toLowerCase() === server.name.toLowerCase();
  return { known: [], differs: known.find((each) => isPinned(each) && (isThere(each) || hasName(each))) };
}

function joinedFirst(one: KnownServer, other: KnownServer): number {
  return Number(isServerName(other.name)) - Number(isServerName(one.name));
}
