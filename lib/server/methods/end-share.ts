import { Nothing } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";
import { requireShare } from "../shares/require-share.ts";

/** The client that fetches has all of it; or the one that shares wants it back. */
export const endShare = defineMethod({
  name: "endShare",
  role: "read",
  params: Nothing,
  async handle({ stream, member, server }: Call<typeof Nothing>) {
    const { shares, share } = requireShare(member, server);
    const isFetcher = member.token === share.fetcher;
    shares.end(share, isFetcher ? { outcome: "fetched", address: member.address } : { outcome: "ended" }, server);
    // Answer first: expel() may end this very session.
    stream.accept({}, { end: true });
    server.tokens.expel();
  },
});
