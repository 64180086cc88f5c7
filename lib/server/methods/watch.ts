import { StreamError } from "../../errors.ts";
import { type Change, WatchParams } from "../../protocol/methods.ts";
import {
  type Asked,
  checkAsked,
  narrowTo,
  type Selection,
  selectAt,
  selectBelow,
  selectGlob,
} from "../../selection.ts";
import { ChangeSieve } from "../change-sieve.ts";
import { sendFeed } from "../feed.ts";
import { type Call, defineMethod } from "../method.ts";

/** The most watches of one session at once. */
export const MAX_WATCHES = 16;

/** Changes of the repository as they happen, until the caller leaves or the server stops. */
export const watch = defineMethod({
  name: "watch",
  role: "read",
  kind: "lists",
  params: WatchParams,
  async handle({ params, stream, member, server }: Call<typeof WatchParams, "storage" | "lifecycle" | "clock">) {
    const selection = narrowTo(member.paths, selectionOf(checkAsked(params, member.paths)));
    if (member.watches >= MAX_WATCHES) {
      throw new StreamError("TOO_MANY_STREAMS", `A session may have ${MAX_WATCHES} watches at once.`);
    }
    member.watches++;
    try {
      await sendFeed<Change>(stream, {
        memory: member.memory,
        ended: server.lifecycle.stopping,
        async subscribe(tell) {
          const sieve = new ChangeSieve(selection, tell, server.clock);
          const unsubscribe = await server.storage.watch((changes) => sieve.take(changes));
          return () => {
            unsubscribe();
            sieve.close();
          };
        },
        dropped: (count) => ({ change: "missed", count }),
      });
    } finally {
      member.watches--;
    }
  },
});

/** Everything, a pattern, or a path and everything below it. */
function selectionOf(asked: Asked | undefined): Selection {
  if (asked === undefined) return selectBelow("");
  return "pattern" in asked ? selectGlob(asked.pattern) : selectAt(asked.path);
}
