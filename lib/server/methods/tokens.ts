import { Nothing } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { limitFacts } from "../access/scope.ts";
import { type Call, defineMethod } from "../method.ts";

/** The tokens, without their secrets, which the server does not keep. */
export const tokens = defineMethod({
  name: "tokens",
  role: "operator",
  params: Nothing,
  async handle({ stream, server }: Call<typeof Nothing, "tokens">) {
    stream.accept({});
    for (const token of server.tokens.store.list()) {
      const { name, role, createdAt, expiresAt } = token;
      await stream.write(encodeRecord({ name, role, createdAt, expiresAt, ...limitFacts(token) }));
    }
    await stream.end();
  },
});
