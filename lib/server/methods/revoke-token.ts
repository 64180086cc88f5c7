import { RevokeTokenParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** Take a token back: nobody comes in with it any more, and who came with it is out. */
export const revokeToken = defineMethod({
  name: "revokeToken",
  role: "operator",
  params: RevokeTokenParams,
  async handle({ params, stream, member, host }) {
    const { name } = params;
    host.tokens.revoke(name);
    host.events.emit({ event: "revoked", name: member.name, token: name });
    // First, for it may end this very session.
    stream.accept({}, { end: true });
    host.expel();
  },
});
