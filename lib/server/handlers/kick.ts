import { KickParams } from "../../protocol/methods.ts";
import { defineMethod } from "../method.ts";

/** End a client's session at once. */
export const kick = defineMethod({
  name: "kick",
  role: "operator",
  params: KickParams,
  async handle({ params, stream, host }) {
    const target = host.members.client(params.name);
    const why = params.reason === undefined ? "" : `: ${params.reason}`;
    target.session.terminate("KICKED", `The operator ended this session${why}.`);
    stream.accept({ name: target.name }, { end: true });
  },
});
