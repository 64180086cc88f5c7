import { IssueTokenParams, type IssueTokenResult } from "../../protocol/methods.ts";
import { formatToken } from "../../protocol/token.ts";
import { defineMethod } from "../method.ts";

/** Make a token, and the invite that holds it. The server itself keeps neither. */
export const issueToken = defineMethod({
  name: "issueToken",
  role: "operator",
  params: IssueTokenParams,
  async handle({ params, stream, member, host }) {
    const { name, role, expiresAt = null, addresses } = params;
    const token = host.tokens.add({ name, role, createdAt: host.clock.wallTime(), expiresAt });
    host.watchExpiry();
    host.events.emit({ event: "issued", name: member.name, token: name, role });
    const result: IssueTokenResult = { token: formatToken(token), invite: host.invite(token, addresses) };
    stream.accept(result, { end: true });
  },
});
