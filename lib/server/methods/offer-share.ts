import { Nothing, type OfferShareResult } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";
import { requireShare } from "../shares/require-share.ts";

/** The files of a share are complete: make the code by which one client fetches them. */
export const offerShare = defineMethod({
  name: "offerShare",
  role: "write",
  leavesRepository: true,
  params: Nothing,
  async answer({ caller, server }: Question<typeof Nothing>) {
    const { shares, share } = requireShare(caller, server);
    const code = await shares.offer(share, server);
    server.events.emit({ event: "shared", name: caller.name, share: share.id, endsAt: share.endsAt });
    return { code, endsAt: share.endsAt, ...server.tokens.reach() } satisfies OfferShareResult;
  },
});
