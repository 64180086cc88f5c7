import { BY_AUTHORITY, type Invite } from "../../protocol/invite.ts";

/** The most addresses of an invite. */
const MAX_ADDRESSES = 16;

/**
 * The addresses of a server that was reached at `address`: the one that works comes first. A certificate of an authority
 * is for the names in the invite.
 */
export function withAddress({ addresses, identity }: Invite, address: string | undefined): string[] {
  if (address === undefined || identity === BY_AUTHORITY) return [...addresses];
  return [address, ...addresses.filter((each) => each !== address)].slice(0, MAX_ADDRESSES);
}
