import { Nothing, type ShareOutcome } from "../../protocol/methods.ts";
import { sendFeed } from "../feed.ts";
import { type Call, defineMethod } from "../method.ts";
import { requireShare } from "../shares/require-share.ts";

/** What comes of a share, once it is over. */
export const awaitShare = defineMethod({
  name: "awaitShare",
  role: "write",
  leavesRepository: true,
  params: Nothing,
  async handle({ stream, member, server }: Call<typeof Nothing>) {
    const { share } = requireShare(member, server);
    const ended = AbortSignal.any([share.over, server.lifecycle.stopping]);
    await sendFeed<ShareOutcome>(stream, {
      memory: member.memory,
      ended,
      subscribe(tell) {
        const onOver = () => {
          if (share.outcome !== undefined) tell(share.outcome);
        };
        if (share.over.aborted) onOver();
        else share.over.addEventListener("abort", onOver);
        return () => share.over.removeEventListener("abort", onOver);
      },
      dropped: () => ({ outcome: "ended" }),
    });
  },
});
