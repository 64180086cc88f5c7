import { Nothing } from "../../protocol/methods.ts";
import { encodeRecord } from "../../protocol/records.ts";
import type { StampedEvent } from "../events.ts";
import { defineMethod } from "../method.ts";

/** Events that are kept for an operator who reads slowly; older ones are dropped and counted. */
const MAX_KEPT = 1_000;

/** What happens at the server, as it happens, until the caller leaves or the server stops. */
export const events = defineMethod({
  name: "events",
  role: "operator",
  params: Nothing,
  async handle({ stream, host }) {
    const kept: StampedEvent[] = [];
    let dropped = 0;
    let wake: (() => void) | undefined;
    const unsubscribe = host.events.subscribe((event) => {
      if (kept.length >= MAX_KEPT) dropped++;
      else kept.push(event);
      wake?.();
    });
    stream.accept({});
    try {
      for (;;) {
        const event = kept.shift();
        if (event !== undefined) await stream.write(encodeRecord(event));
        else if (dropped > 0) {
          const message = `${dropped} events were not shown here: they came faster than they were read.`;
          dropped = 0;
          await stream.write(encodeRecord({ at: host.clock.wallTime(), event: "warning", message }));
        } else {
          const next = Promise.withResolvers<"event">();
          wake = () => next.resolve("event");
          const what = await Promise.race([next.promise, stream.closed, host.events.ended.then(() => "end" as const)]);
          if (stream.isClosed) return;
          if (what === "end") return await stream.end();
        }
      }
    } finally {
      unsubscribe();
    }
  },
});
