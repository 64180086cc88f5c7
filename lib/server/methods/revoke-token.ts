import { RevokeTokenParams } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";

/** Revoke a token: nobody is admitted with it any more, and the sessions that it began end. */
export const revokeToken = defineMethod({
  name: "revokeToken",
  role: "operator",
  params: RevokeTokenParams,
  async handle({ params, stream, member, server }: Call<typeof RevokeTokenParams, "tokens" | "events">) {
    const { name } = params;
    server.tokens.store.revoke(name);
    server.events.emit({ event: "revoked", name: member.name, token: name });
    // First, for it may end this very session.
    stream.accept({}, { end: true });
    server.tokens.expel();
  },
});
