import { StreamError } from "../errors.ts";
import { parseToken, type Token } from "../protocol/token.ts";
import type { Access } from "../server/access/access.ts";
import { AccessError, type Account } from "../server/access/account.ts";
import type { PeerAddress } from "../session/transport.ts";

/** Identifies the sender of a request. Source: RFC 7617 (Basic), RFC 6750 (Bearer). */

const AUTHORIZATION = /^(basic|bearer) +(\S+)$/i;

/** The origin of a request. */
export interface Origin {
  readonly peerAddress: PeerAddress;
  readonly isEncrypted: boolean;
}

/**
 * The account that the Authorization field proves; without the field, that of a peer without a token. A token is
 * accepted only over a connection that nobody else can read.
 *
 * @throws AccessError TOKEN_REQUIRED, ACCESS_DENIED, THROTTLED; StreamError NOT_ALLOWED where others could read a token
 */
export async function identify(authorization: string | undefined, origin: Origin, access: Access): Promise<Account> {
  if (authorization === undefined) {
    try {
      return access.withoutToken();
    } catch (thrown) {
      requirePrivacy(origin); // never ask for a token that others could read on the way
      throw thrown;
    }
  }
  requirePrivacy(origin);
  return access.judge(tokenIn(authorization), origin.peerAddress);
}

function requirePrivacy({ isEncrypted, peerAddress }: Origin): void {
  if (isEncrypted || peerAddress.isLoopback) return;
  throw new StreamError(
    "NOT_ALLOWED",
    "This connection is not encrypted: over plain HTTP, this server accepts tokens only from its own machine.",
  );
}

/** @throws AccessError ACCESS_DENIED */
function tokenIn(authorization: string): Token {
  const [, scheme = "", value = ""] = AUTHORIZATION.exec(authorization) ?? [];
  const text = scheme.toLowerCase() === "basic" ? Buffer.from(value, "base64").toString("utf8") : value;
  try {
    return parseToken(text);
  } catch {
    const words = "Authorization must be Basic or Bearer with a token, NAME:SECRET.";
    throw new AccessError("ACCESS_DENIED", words, words);
  }
}
