import { Nothing } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { type Call, defineMethod } from "../method.ts";

/** The tokens, without their secrets, which the server does not keep. */
export const tokens = defineMethod({
  name: "tokens",
  role: "operator",
  params: Nothing,
  async handle({ stream, server }: Call<typeof Nothing, "tokens">) {
    stream.accept({});
    for (const { name, role, createdAt, expiresAt } of server.tokens.store.list()) {
      await stream.write(encodeRecord({ name, role, createdAt, expiresAt }));
    }
    await stream.end();
  },
});
