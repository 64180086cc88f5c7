import { KickParams } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** End a client's session at once. */
export const kick = defineMethod({
  name: "kick",
  role: "operator",
  params: KickParams,
  async answer({ params, server: { kicks } }: Question<typeof KickParams, "kicks">) {
    const why = params.reason === undefined ? "" : `: ${params.reason}`;
    return { name: kicks.kick(params.name, `The operator ended this session${why}.`) };
  },
});
