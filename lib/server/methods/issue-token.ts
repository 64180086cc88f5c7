import { IssueTokenParams, type IssueTokenResult } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import { defineMethod, type Question } from "../method.ts";

/** Make a token, and the invite that holds it. The server itself keeps neither. */
export const issueToken = defineMethod({
  name: "issueToken",
  role: "operator",
  params: IssueTokenParams,
  async answer({ params, caller, server }: Question<typeof IssueTokenParams, "tokens" | "events" | "clock">) {
    const { name, role, expiresAt = null, addresses } = params;
    const { tokens, events, clock } = server;
    const token = tokens.store.add({ name, role, createdAt: clock.wallTime(), expiresAt });
    tokens.watchExpiry();
    events.emit({ event: "issued", name: caller.name, token: name, role });
    return { token: formatToken(token), invite: tokens.invite(token, addresses) } satisfies IssueTokenResult;
  },
});
