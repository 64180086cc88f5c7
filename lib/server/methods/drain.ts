import { DrainParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Stop admitting clients, or admit them again; present sessions stay. */
export const drain = defineMethod({
  name: "drain",
  role: "operator",
  params: DrainParams,
  async answer({ params, server: { lifecycle } }: Question<typeof DrainParams, "lifecycle">) {
    lifecycle.setDraining(params.on);
    return {};
  },
});
