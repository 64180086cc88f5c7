import { RevokeLinkParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Revoke a link: its address stops working, and running downloads through it end. */
export const revokeLink = defineMethod({
  name: "revokeLink",
  role: "operator",
  params: RevokeLinkParams,
  async answer({ params, caller, server }: Question<typeof RevokeLinkParams, "links" | "tokens" | "events" | "clock">) {
    const { links, tokens, events, clock } = server;
    links.store.revoke(params.name, clock.wallTime());
    events.emit({ event: "unlinked", name: caller.name, link: params.name });
    tokens.expel();
    return {};
  },
});
