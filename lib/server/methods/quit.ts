import { Nothing } from "../../protocol/methods.ts";
import { type Call, defineMethod } from "../method.ts";

/** Stop the server cleanly. */
export const quit = defineMethod({
  name: "quit",
  role: "operator",
  params: Nothing,
  async handle({ stream, server: { lifecycle } }: Call<typeof Nothing, "lifecycle">) {
    stream.accept({}, { end: true });
    lifecycle.requestStop();
  },
});
