import { CommError } from "../errors.ts";
import { type Invite, isInvite } from "../protocol/invite.ts";
import { parseToken, type Token } from "../protocol/token.ts";
import { quote } from "../quote.ts";
import { findLocalInvite } from "../state/local-invite.ts";
import { type Address, DEFAULT_PORT, formatAddress, isLoopback, parseAddress } from "../transport/address.ts";
import { type ExposedFile, type KnownServer, KnownServers } from "./known-servers.ts";

/** The server of this machine, at the usual port. */
export const DEFAULT_SERVER = `localhost:${DEFAULT_PORT}`;

/** A client's settings to find a server, and to authenticate there. */
export interface TrustSettings {
  /** A name that was joined, or an address, as it was typed; undefined when no server was named. */
  readonly server: string | undefined;
  readonly invite: Invite | undefined;
  readonly token: Token | undefined;
  /** Authorities to trust instead of those that browsers trust, PEM. */
  readonly ca: string | undefined;
  readonly isPlaintext: boolean;
  readonly stateDir: string;
}

/** The server to connect to, and everything known about it. */
export interface Target {
  /** The name in messages, and among the known servers. */
  readonly name: string;
  readonly addresses: readonly Address[];
  /** Fingerprint or "authority"; undefined: not known yet. */
  readonly identity: string | undefined;
  readonly token: Token | undefined;
  /** Authorities to trust instead of those that browsers trust, PEM; then no other identity is accepted. */
  readonly ca: string | undefined;
  readonly isPlaintext: boolean;
  /** True for a server of this user on this machine. */
  readonly isLocal: boolean;
  /** True for one of the known servers. */
  readonly isKnown: boolean;
  /** The file with the server's token, when others can read it. */
  readonly exposedToken: ExposedFile | undefined;
}

/** @throws CommError MALFORMED; StorageError */
export function findTarget(settings: TrustSettings): Target {
  const known = new KnownServers(settings.stateDir);
  const { isLocal, ...server } = findServer(settings, known);
  const addresses = server.addresses.map(parseAddress);
  return {
    name: server.name,
    addresses,
    identity: server.identity ?? undefined,
    token: settings.token ?? (server.token === undefined ? undefined : parseToken(server.token)),
    ca: settings.ca,
    // A socket of this machine needs no encryption.
    isPlaintext: settings.isPlaintext || addresses.every(({ kind }) => kind === "unix"),
    isLocal: isLocal === true,
    isKnown: known.find(server.name) !== undefined,
    exposedToken: known.exposedToken(server),
  };
}

/** The server of an invite. @throws CommError MALFORMED when it names no network address */
export function serverOf({ addresses, identity, token }: Invite, name: string): KnownServer {
  if (addresses.some((address) => parseAddress(address).kind !== "tcp")) {
    throw new CommError("MALFORMED", "The invite has an address that is not one of a network: ask for another invite.");
  }
  return { name, addresses: [...addresses], identity, token: `${token.name}:${token.secret}` };
}

function findServer(
  { server, invite, token }: TrustSettings,
  known: KnownServers,
): KnownServer & { readonly isLocal?: boolean } {
  if (server === undefined && invite !== undefined) return serverOf(invite, invite.label);
  const given = server ?? DEFAULT_SERVER;
  // An invite's secret must be neither shown nor looked up as a host name.
  if (isInvite(given)) throw new CommError("MALFORMED", "That is an invite, not an address.");
  const joined = known.find(given);
  if (joined !== undefined && !isNamedByAddress(joined)) return joined;
  const address = parseGiven(given);
  const name = formatAddress(address);
  if (invite?.label === given) return serverOf(invite, name);
  if (invite?.addresses.includes(name)) return { ...serverOf(invite, name), addresses: [name] };
  // The invite that this user's server has left on this machine is newer than an identity trusted earlier.
  const local = address.kind === "tcp" && isLoopback(address.host) ? findLocalInvite(address.port) : undefined;
  if (local !== undefined) {
    const { identity, token: secret } = local;
    return { name, addresses: [name], identity, token: secret, isLocal: true };
  }
  return knownAt(name, known, token) ?? { name, addresses: [name], identity: null };
}

/**
 * The known server at an address: the one that was joined there, with its token, or else the one that was trusted
 * there. A joined server is left out when another identity was trusted at the address.
 *
 * @throws CommError MALFORMED when several were joined there, and it matters which is meant
 */
function knownAt(name: string, known: KnownServers, token: Token | undefined): KnownServer | undefined {
  const trusted = known.find(name);
  const [joined, ...others] = known
    .list()
    .filter(
      (server) =>
        !isNamedByAddress(server) && server.addresses.some((each) => each.toLowerCase() === name.toLowerCase()),
    )
    .filter(({ identity }) => trusted === undefined || identity === trusted.identity);
  if (joined === undefined || (others.length > 0 && trusted !== undefined)) return trusted;
  const isOther = (other: KnownServer) =>
    other.identity !== joined.identity || (token === undefined && other.token !== joined.token);
  if (others.some(isOther)) {
    const names = [joined, ...others].map((server) => quote(server.name)).join(" and ");
    throw new CommError("MALFORMED", `Several servers were joined at ${name}: ${names}. Use one of these names.`);
  }
  return { ...joined, addresses: [name] };
}

/** True for a server that was trusted at its address, not joined by a name. */
function isNamedByAddress({ name, addresses }: KnownServer): boolean {
  return addresses.length === 1 && addresses[0] === name;
}

/** The address that was typed; any other word may be a misspelt server name. @throws CommError MALFORMED */
function parseGiven(server: string): Address {
  try {
    return parseAddress(server);
  } catch (cause) {
    throw new CommError("MALFORMED", `${quote(server)} is neither a server that was joined here nor an address.`, {
      cause,
    });
  }
}
