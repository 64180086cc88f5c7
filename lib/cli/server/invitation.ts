import { hostname, networkInterfaces } from "node:os";
import * as v from "valibot";
import { BY_AUTHORITY, formatInvite } from "../../protocol/invite.ts";
import type { Token } from "../../protocol/token.ts";
import type { Identity } from "../../server/identity.ts";
import { readPrivate, writePrivate } from "../../state/private-file.ts";
import { invitationFile } from "../../state/state-dir.ts";
import { DEFAULT_PORT, formatAddress, formatHostPort, parseAddress } from "../../transport/address.ts";
import { formatFingerprint } from "../../transport/tls.ts";
import type { Flags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";

/** Addresses in an invite, at most. */
const MAX_ADDRESSES = 8;
const MAX_ADVERTISED = 16;

/** What clients are told of a server. */
export interface Invitation {
  /** `HOST:PORT`, the likeliest first. */
  readonly addresses: readonly string[];
  /** As in an invite. */
  readonly identity: string | null;
}

const SavedInvitation = v.object({ addresses: v.array(v.string()), identity: v.nullable(v.string()) });

/** For invites that are made while the server does not run. @throws StorageError */
export function saveInvitation(stateDir: string, invitation: Invitation): void {
  writePrivate(invitationFile(stateDir), `${JSON.stringify(invitation)}\n`);
}

/** That of the last start; undefined when there was none. */
export function lastInvitation(stateDir: string): Invitation | undefined {
  try {
    return v.parse(SavedInvitation, JSON.parse(readPrivate(invitationFile(stateDir)) ?? ""));
  } catch {
    return undefined;
  }
}

/** As in an invite: null without encryption. */
export function identityOf(identity: Identity | undefined, isOfAuthority: boolean): string | null {
  if (identity === undefined) return null;
  return isOfAuthority ? BY_AUTHORITY : formatFingerprint(identity.digest);
}

export function inviteFor(token: Token, { addresses, identity }: Invitation): string {
  return formatInvite({ label: labelOf(hostname()), addresses, identity, token });
}

/** The addresses that --advertise names; undefined when it is absent. @throws UsageError */
export function parseAdvertised(flags: Flags): string[] | undefined {
  if (flags["advertise"] === undefined) return undefined;
  const addresses = String(flags["advertise"])
    .split(",")
    .map((address) => parseAddress(address.trim()));
  if (addresses.some(({ kind }) => kind !== "tcp") || addresses.length > MAX_ADVERTISED) {
    throw new UsageError(`--advertise takes HOST or HOST:PORT, ${MAX_ADVERTISED} at most, with commas in between.`);
  }
  return addresses.map(formatAddress);
}

/** Where others reach a server that listens at `host` (undefined: everywhere) and `port`. */
export function ownAddresses(host: string | undefined, port = DEFAULT_PORT): string[] {
  // By which interface it is reached is another thing on each machine.
  if (host !== undefined && host !== "::" && host !== "0.0.0.0")
    return [formatHostPort(host.replace(/%.*$/, ""), port)];
  const found = networkAddresses();
  const near = found.length === 0 ? linkLocalAddresses() : found;
  const hosts = near.length === 0 ? ["127.0.0.1"] : near;
  return hosts.slice(0, MAX_ADDRESSES).map((address) => formatHostPort(address, port));
}

/** Addresses of this machine that others may reach, IPv4 first; without those that mean another machine elsewhere. */
export function networkAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  return [
    ...outside.filter(({ family }) => family === "IPv4"),
    ...outside.filter(({ family }) => family === "IPv6"),
  ].map(({ address }) => address);
}

/** Those that mean this machine on one cable or radio network alone, for who is there too and knows by which interface. */
function linkLocalAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = all.filter(({ internal, address }) => !internal && address.startsWith("fe80:"));
  return addresses.map(({ address }) => address.replace(/%.*$/, ""));
}

/** A name that a client can type, and that is no address. */
function labelOf(host: string): string {
  const label = host
    .split(".")[0]
    ?.replace(/[^A-Za-z0-9_-]/g, "")
    .slice(0, 32);
  if (label === undefined || label === "" || label === "localhost") return "server";
  return /^[A-Za-z]/.test(label) ? label.toLowerCase() : `server-${label.toLowerCase()}`;
}
