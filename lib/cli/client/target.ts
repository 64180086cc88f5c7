import { type Invite, isInvite } from "../../protocol/invite.ts";
import { parseToken, type Token } from "../../protocol/token.ts";
import { quote } from "../../quote.ts";
import { findLocalInvite } from "../../state/local-invite.ts";
import { type Address, formatAddress, isLoopback, parseAddress } from "../../transport/address.ts";
import { UsageError } from "../usage-error.ts";
import type { ConnectSettings } from "./connect-settings.ts";
import { type KnownServer, ServerBook } from "./server-book.ts";

const DEFAULT_SERVER = "localhost:5050";

/** The server that a command is for, and all that is known of it. */
export interface Target {
  /** For people, and what it is remembered by. */
  readonly name: string;
  readonly addresses: readonly Address[];
  /** Fingerprint or "authority"; undefined: not known yet. */
  readonly identity: string | undefined;
  readonly token: Token | undefined;
  /** Authorities in place of those that browsers trust, PEM; then no other identity will do. */
  readonly ca: string | undefined;
  readonly isPlaintext: boolean;
  /** True when it is a server of this user on this machine. */
  readonly isLocal: boolean;
  /** True when it is known from the book. */
  readonly isRemembered: boolean;
  /** What its user should know of where its token is kept. */
  readonly warning: string | undefined;
  readonly book: ServerBook;
}

/** Find out from the settings, and what was joined. @throws UsageError, StorageError */
export function findTarget(settings: ConnectSettings): Target {
  const book = new ServerBook(settings.stateDir);
  const known = knownServer(settings, book);
  const addresses = known.addresses.map(parseAddress);
  return {
    name: known.name,
    addresses,
    identity: known.identity ?? undefined,
    token: settings.token ?? (known.token === undefined ? undefined : parseToken(known.token)),
    ca: settings.ca,
    // A socket of this machine needs no encryption.
    isPlaintext: settings.isPlaintext || addresses.every(({ kind }) => kind === "unix"),
    isLocal: known.isLocal === true,
    isRemembered: book.find(known.name) !== undefined,
    warning: book.warningOf(known),
    book,
  };
}

/** What an invite says, as an entry of the book. @throws UsageError when its addresses are none of a network */
export function serverOf({ addresses, identity, token }: Invite, name: string): KnownServer {
  if (addresses.some((address) => parseAddress(address).kind !== "tcp")) {
    throw new UsageError("The invite is not for a network: its server must make another.");
  }
  return { name, addresses: [...addresses], identity, token: `${token.name}:${token.secret}` };
}

function knownServer(
  { server, invite }: ConnectSettings,
  book: ServerBook,
): KnownServer & { readonly isLocal?: boolean } {
  if (server === undefined && invite !== undefined) return serverOf(invite, invite.label);
  const given = server ?? DEFAULT_SERVER;
  if (isInvite(given))
    throw new UsageError("That is an invite: write commserver-client join INVITE, or use --invite-file.");
  const joined = book.find(given);
  if (joined !== undefined) return joined;
  const address = parseGiven(given);
  const name = formatAddress(address);
  if (invite?.label === given) return serverOf(invite, name);
  if (invite?.addresses.includes(name)) return { ...serverOf(invite, name), addresses: [name] };
  const known = book.find(name);
  // What a server of this user has left on this machine is newer than what was trusted once.
  const local = address.kind === "tcp" && isLoopback(address.host) ? findLocalInvite(address.port) : undefined;
  const token = local?.token ?? known?.token;
  const identity = local?.identity ?? known?.identity ?? null;
  return { name, addresses: [name], identity, isLocal: local !== undefined, ...(token !== undefined && { token }) };
}

/** A word that is no address may be meant as the name of a server. @throws UsageError */
function parseGiven(server: string): Address {
  try {
    return parseAddress(server);
  } catch (cause) {
    throw new UsageError(`${quote(server)} is neither a server that was joined here nor an address.`, { cause });
  }
}
