import { RevokeTokenParams } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";

/** Revoke a token: it admits nobody any more, and its sessions end. A one-time code for it ends, too. */
export const revokeToken = defineMethod({
  name: "revokeToken",
  role: "operator",
  params: RevokeTokenParams,
  async handle({ params, stream, member, server }: Call<typeof RevokeTokenParams, "tokens" | "codes" | "events">) {
    const { name } = params;
    const { codes, tokens } = server;
    const isOnlyOffered = codes.end(name) && tokens.store.find(name) === undefined;
    if (!isOnlyOffered) tokens.store.revoke(name);
    server.events.emit({ event: "revoked", name: member.name, token: name });
    // Answer first: expel() may end this very session.
    stream.accept({}, { end: true });
    tokens.expel();
  },
});
