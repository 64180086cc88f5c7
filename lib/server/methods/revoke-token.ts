import { RevokeTokenParams } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";

/** Revoke a token: it admits nobody any more, and its sessions end. */
export const revokeToken = defineMethod({
  name: "revokeToken",
  role: "operator",
  params: RevokeTokenParams,
  async handle({ params, stream, member, server }: Call<typeof RevokeTokenParams, "tokens" | "events">) {
    const { name } = params;
    server.tokens.store.revoke(name);
    server.events.emit({ event: "revoked", name: member.name, token: name });
    // Answer first: expel() may end this very session.
    stream.accept({}, { end: true });
    server.tokens.expel();
  },
});
