import type { PeerAddress } from "../../lib/session/transport.ts";
import { peerAddressOf } from "../../lib/transport/peer-address.ts";

/** The address of a peer whose transport reports `from`, such as `192.0.2.7:50312` or `[2001:db8::1]:50312`. */
export function addressOf(from: string): PeerAddress {
  return peerAddressOf(/^(?:\[([^\]]+)\]|([^:]+)):\d+$/.exec(from)?.slice(1).find(Boolean));
}
