import { Nothing } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** Stop the server in order. */
export const quit = defineMethod({
  name: "quit",
  role: "operator",
  params: Nothing,
  async handle({ stream, host }) {
    stream.accept({}, { end: true });
    host.requestStop();
  },
});
