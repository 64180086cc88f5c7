import { DrainParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Admit nobody new, or admit again; sessions that there are stay. */
export const drain = defineMethod({
  name: "drain",
  role: "operator",
  params: DrainParams,
  async answer({ params, server: { lifecycle } }: Question<typeof DrainParams, "lifecycle">) {
    lifecycle.setDraining(params.on);
    return {};
  },
});
