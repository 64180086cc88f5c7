import { KickParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** End a client's session at once. */
export const kick = defineMethod({
  name: "kick",
  role: "operator",
  params: KickParams,
  async handle({ params, stream, host }) {
    const why = params.reason === undefined ? "" : `: ${params.reason}`;
    stream.accept({ name: host.kick(params.name, `The operator ended this session${why}.`) }, { end: true });
  },
});
