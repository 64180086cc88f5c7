import { IssueTokenParams, type IssueTokenResult } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import { limitFacts, limitsOf } from "../access/scope.ts";
import { defineMethod, type Question } from "../method.ts";

/** Make a token, and the invite that holds it. The server itself keeps neither. */
export const issueToken = defineMethod({
  name: "issueToken",
  role: "operator",
  params: IssueTokenParams,
  async answer({ params, caller, server }: Question<typeof IssueTokenParams, "tokens" | "events" | "clock">) {
    const { name, role, expiresAt = null, addresses, ...given } = params;
    const { tokens, events, clock } = server;
    const record = { name, role, createdAt: clock.wallTime(), expiresAt, ...limitsOf(given) };
    tokens.store.checkNew(record);
    if (record.scope !== undefined) await tokens.makeFolder(record.scope.folder);
    const token = tokens.store.add(record);
    tokens.watchExpiry();
    const { usesLeft, ...limits } = limitFacts(record);
    events.emit({ event: "issued", name: caller.name, token: name, role, ...limits });
    return {
      token: formatToken(token),
      invite: tokens.invite(token, addresses),
      ...limits,
      usesLeft,
    } satisfies IssueTokenResult;
  },
});
