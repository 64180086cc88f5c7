import { DrainParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** Admit nobody new, or admit again; who is here stays. */
export const drain = defineMethod({
  name: "drain",
  role: "operator",
  params: DrainParams,
  async handle({ params, stream, host }) {
    host.setDraining(params.on);
    stream.accept({}, { end: true });
  },
});
