import { hostname } from "node:os";
import * as v from "valibot";
import { BY_AUTHORITY, formatInvite } from "../protocol/invite.ts";
import type { Token } from "../protocol/token.ts";
import { readPrivate, writePrivate } from "../state/private-file.ts";
import { invitationFile } from "../state/state-dir.ts";
import { formatFingerprint } from "../transport/tls.ts";
import type { Identity } from "./identity.ts";

/** What an invite says about a server. */
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

/** The invitation of the last start; undefined when there was none. */
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
  return formatInvite({ label: ownLabel(), addresses, identity, token });
}

/** This machine's name as a client can type it, and as it can't be taken for an address. */
export function ownLabel(): string {
  const label = hostname()
    .split(".")[0]
    ?.replace(/[^A-Za-z0-9_-]/g, "")
    .slice(0, 32);
  if (label === undefined || label === "" || label === "localhost") return "server";
  return /^[A-Za-z]/.test(label) ? label.toLowerCase() : `server-${label.toLowerCase()}`;
}
