import { CommError } from "../../errors.ts";
import { BY_AUTHORITY } from "../../protocol/invite.ts";
import type { TlsPeer, Trust } from "../../transport/tls.ts";
import { completeCommand, quoteWord } from "../shown-command.ts";
import type { Target } from "./target.ts";

/** A server that nothing is known of: its fingerprint may be shown, and trusted. */
export class UnknownIdentity extends CommError {
  readonly fingerprint: string;

  constructor(name: string, fingerprint: string) {
    super("UNKNOWN_IDENTITY", `The identity of ${name} is not known: ${fingerprint}.`);
    this.fingerprint = fingerprint;
  }
}

/** Decides whether a server is the one that is meant. */
export function trustIn(target: Target, options: TrustOptions): Trust {
  return { ca: target.ca, verify: (peer) => verify(target, peer, options) };
}

export interface TrustOptions {
  /** Trust a server that is seen for the first time. */
  readonly acceptNew: boolean;
  /** Told what a server was known by that nothing was known of: its fingerprint, or "authority". */
  onTrusted(identity: string): void;
}

/** @throws UnknownIdentity, CommError WRONG_IDENTITY */
function verify(
  { name, identity, ca, isRemembered }: Target,
  { fingerprint, fault }: TlsPeer,
  { acceptNew, onTrusted }: TrustOptions,
) {
  if (ca !== undefined || identity === BY_AUTHORITY) {
    if (fault === undefined) return;
    throw new CommError("WRONG_IDENTITY", `The certificate of ${name} does not hold: ${fault}.`);
  }
  if (identity === fingerprint) return;
  if (identity !== undefined) {
    const forget = completeCommand(`commserver-client forget ${quoteWord(name)}`);
    const advice = isRemembered ? ` If it was given a new one on purpose: ${forget}` : "";
    throw new CommError(
      "WRONG_IDENTITY",
      `${name} shows another identity than is known of it. Somebody may stand in between! ` +
        `Known: ${identity}, shown: ${fingerprint}.${advice}`,
    );
  }
  if (fault === undefined) onTrusted(BY_AUTHORITY);
  else if (acceptNew) onTrusted(fingerprint);
  else throw new UnknownIdentity(name, fingerprint);
}
