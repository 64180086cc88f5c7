import { MAX_CODE_INVITE } from "../../protocol/code-messages.ts";
import { shortenInvite } from "../../protocol/invite.ts";
import { IssueCodeParams, type IssueCodeResult } from "../../protocol/methods.ts";
import { limitFacts, limitsOf } from "../access/scope.ts";
import { defineMethod, type Question } from "../method.ts";

/** Make a one-time code. The client that proves it is handed a token, which is made only then. */
export const issueCode = defineMethod({
  name: "issueCode",
  role: "operator",
  params: IssueCodeParams,
  async answer({ params, caller, server }: Question<typeof IssueCodeParams, "tokens" | "codes" | "events" | "clock">) {
    const { lifeMs, addresses, expiresAt = null, name, role, ...given } = params;
    const { tokens, codes, events, clock } = server;
    const record = { name, role, expiresAt, ...limitsOf(given) };
    tokens.store.checkNew(record);
    if (record.scope !== undefined) await tokens.makeFolder(record.scope.folder);
    const redeem = () => {
      const token = tokens.store.add({ ...record, createdAt: clock.wallTime() });
      tokens.watchExpiry();
      const { usesLeft, ...limits } = limitFacts(record);
      events.emit({ event: "issued", name: caller.name, token: name, role, ...limits });
      return {
        account: tokens.accountOf(name),
        invite: shortenInvite(tokens.invite(token, addresses), MAX_CODE_INVITE),
      };
    };
    const code = await codes.issue({ name, redeem }, lifeMs);
    const endsAt = clock.wallTime() + lifeMs;
    events.emit({ event: "offered", name: caller.name, token: name, role, endsAt });
    return { code, endsAt, ...tokens.reach(addresses) } satisfies IssueCodeResult;
  },
});
