import { StreamError } from "../../errors.ts";
import { OpenShareParams, type OpenShareResult } from "../../protocol/methods.ts";
import { defineMethod, type Question } from "../method.ts";

/** Begin a share, whose files a session with its temporary token puts. */
export const openShare = defineMethod({
  name: "openShare",
  role: "write",
  leavesRepository: true,
  params: OpenShareParams,
  async answer({ params, caller, server }: Question<typeof OpenShareParams>) {
    if (server.shares === undefined) throw new StreamError("NOT_ALLOWED", "This server keeps no shares.");
    if (caller.account.scope !== undefined) {
      throw new StreamError("NOT_ALLOWED", "A token that is limited to a folder can't share beyond it.");
    }
    return (await server.shares.open(caller.token, params.lifeMs, server)) satisfies OpenShareResult;
  },
});
