import { Nothing } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import { type Call, defineMethod } from "../method.ts";

/** The links that have not ended, without their secrets, which the server does not keep. */
export const links = defineMethod({
  name: "links",
  role: "operator",
  params: Nothing,
  async handle({ stream, server }: Call<typeof Nothing, "links" | "clock">) {
    stream.accept({});
    for (const { name, path, createdAt, expiresAt } of server.links.store.list(server.clock.wallTime())) {
      await stream.write(encodeRecord({ name, path, createdAt, expiresAt }));
    }
    await stream.end();
  },
});
