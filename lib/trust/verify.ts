import { CommError } from "../errors.ts";
import { BY_AUTHORITY } from "../protocol/invite.ts";
import type { TlsPeer, Trust } from "../transport/tls.ts";
import type { Target } from "./target.ts";

/** A server of which nothing is known: its fingerprint may be shown, and trusted. */
export class UnknownIdentity extends CommError {
  readonly fingerprint: string;

  constructor(name: string, fingerprint: string) {
    super("UNKNOWN_IDENTITY", `The identity of ${name} is not known: ${fingerprint}.`);
    this.fingerprint = fingerprint;
  }
}

/** A server with another fingerprint than the one that is pinned for it. */
export class ChangedIdentity extends CommError {
  readonly server: string;
  /** True when the pin is that of a known server, which can be forgotten. */
  readonly isKnown: boolean;

  constructor({ name, identity, isKnown }: Pick<Target, "name" | "identity" | "isKnown">, fingerprint: string) {
    super(
      "WRONG_IDENTITY",
      `${name} shows another identity than is known of it. Somebody may stand in between! ` +
        `Known: ${identity}, shown: ${fingerprint}.`,
    );
    this.server = name;
    this.isKnown = isKnown;
  }
}

export interface VerifyOptions {
  /** Trust a server that is seen for the first time. */
  readonly acceptNew: boolean;
  /** Called with the identity of a server that was not known before: its fingerprint, or "authority". */
  onTrusted(identity: string): void;
}

/** The check that a server is the one that is meant. */
export function trustIn(target: Target, options: VerifyOptions): Trust {
  return { ca: target.ca, verify: (peer) => verify(target, peer, options) };
}

/** @throws UnknownIdentity, ChangedIdentity; CommError WRONG_IDENTITY */
function verify(target: Target, { fingerprint, fault }: TlsPeer, { acceptNew, onTrusted }: VerifyOptions): void {
  const { name, identity, ca } = target;
  if (ca !== undefined || identity === BY_AUTHORITY) {
    if (fault === undefined) return;
    throw new CommError("WRONG_IDENTITY", `The certificate of ${name} does not hold: ${fault}.`);
  }
  if (identity === fingerprint) return;
  if (identity !== undefined) throw new ChangedIdentity(target, fingerprint);
  if (fault === undefined) onTrusted(BY_AUTHORITY);
  else if (acceptNew) onTrusted(fingerprint);
  else throw new UnknownIdentity(name, fingerprint);
}
