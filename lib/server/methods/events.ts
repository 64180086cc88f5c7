import { Nothing } from "../../protocol/methods.ts";
import type { StampedEvent } from "../event-feed.ts";
import { sendFeed } from "../feed.ts";
import { type Call, defineMethod } from "../method.ts";

/** The server's events as they happen, until the caller leaves or the server stops. */
export const events = defineMethod({
  name: "events",
  role: "operator",
  params: Nothing,
  handle: ({ stream, member, server }: Call<typeof Nothing, "events" | "clock">) =>
    sendFeed<StampedEvent>(stream, {
      memory: member.memory,
      ended: server.events.ended,
      subscribe: (tell) => server.events.subscribe(tell),
      dropped: (count) => ({
        at: server.clock.wallTime(),
        event: "warning",
        message: `${count} events were not shown here: they came faster than they were read.`,
      }),
    }),
});
