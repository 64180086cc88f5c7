import { CommError } from "../errors.ts";
import { BY_AUTHORITY } from "../protocol/invite.ts";
import type { TlsPeer, Trust } from "../transport/tls.ts";
import type { Target } from "./target.ts";

/** A server that is not known: its fingerprint may be shown, and trusted. */
export class UnknownIdentity extends CommError {
  readonly fingerprint: string;

  constructor(name: string, fingerprint: string) {
    super("UNKNOWN_IDENTITY", `The identity of ${name} is not known: ${fingerprint}.`);
    this.fingerprint = fingerprint;
  }
}

/** A server whose fingerprint differs from the pinned one. */
export class ChangedIdentity extends CommError {
  readonly server: string;
  /** True when the pin belongs to a known server, which can be forgotten. */
  readonly isKnown: boolean;

  constructor({ name, identity, isKnown }: Pick<Target, "name" | "identity" | "isKnown">, fingerprint: string) {
    super(
      "WRONG_IDENTITY",
      `${name} shows a different identity than the known one. Somebody may be intercepting the connection! ` +
        `Known: ${identity}, shown: ${fingerprint}.`,
    );
    this.server = name;
    this.isKnown = isKnown;
  }
}

export interface VerifyOptions {
  /** Trust a new server. */
  readonly acceptNew: boolean;
  /** Called with the identity of a new server: its fingerprint, or "authority". */
  onTrusted(identity: string): void;
}

/** The check that a server is the target. */
export function trustIn(target: Target, options: VerifyOptions): Trust {
  return { ca: target.ca, verify: (peer) => verify(target, peer, options) };
}

/** @throws UnknownIdentity, ChangedIdentity; CommError WRONG_IDENTITY */
function verify(target: Target, { fingerprint, fault }: TlsPeer, { acceptNew, onTrusted }: VerifyOptions): void {
  const { name, identity, ca } = target;
  if (ca !== undefined || identity === BY_AUTHORITY) {
    if (fault === undefined) return;
    throw new CommError("WRONG_IDENTITY", `The certificate of ${name} is not valid: ${fault}.`);
  }
  if (identity === fingerprint) return;
  if (identity !== undefined) throw new ChangedIdentity(target, fingerprint);
  if (fault === undefined) onTrusted(BY_AUTHORITY);
  else if (acceptNew) onTrusted(fingerprint);
  else throw new UnknownIdentity(name, fingerprint);
}
