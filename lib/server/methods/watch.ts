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

/** Watches of one session at once. */
export const MAX_WATCHES = 16;

/** What changes in the repository, as it happens, until the caller leaves or the server stops. */
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

/** All, a pattern, or a path with all below it. */
function selectionOf(asked: Asked | undefined): Selection {
  if (asked === undefined) return selectBelow("");
  return "pattern" in asked ? selectGlob(asked.pattern) : selectAt(asked.path);
}
