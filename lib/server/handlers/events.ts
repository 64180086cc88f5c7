import { Nothing } from "../../protocol/methods.ts";
import type { StampedEvent } from "../events.ts";
import { sendFeed } from "../feed.ts";
import { defineMethod } from "../method.ts";

/** Events that are kept for an operator who reads slowly. */
const MAX_KEPT = 1_000;

/** What happens at the server, as it happens, until the caller leaves or the server stops. */
export const events = defineMethod({
  name: "events",
  role: "operator",
  params: Nothing,
  handle: ({ stream, host }) =>
    sendFeed<StampedEvent>(stream, {
      maxKept: MAX_KEPT,
      ended: host.events.ended,
      subscribe: (tell) => host.events.subscribe(tell),
      dropped: (count) => ({
        at: host.clock.wallTime(),
        event: "warning",
        message: `${count} events were not shown here: they came faster than they were read.`,
      }),
    }),
});
