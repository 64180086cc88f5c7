import { StreamError } from "../../errors.ts";
import type { Account } from "../access/account.ts";
import type { LiveShare, ServerParts, ShareParts } from "../parts.ts";

/** The share of a session that has one. @throws StreamError NOT_ALLOWED */
export function requireShare(
  caller: { readonly account: Account },
  { shares }: Pick<ServerParts, "shares">,
): { readonly shares: ShareParts; readonly share: LiveShare } {
  const share = shares?.of(caller);
  if (shares !== undefined && share !== undefined) return { shares, share };
  throw new StreamError("NOT_ALLOWED", "Only a session of a share may call this.");
}
