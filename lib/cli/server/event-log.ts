import { createConsola, LogLevels } from "consola";
import type { StampedEvent } from "../../server/event-feed.ts";
import { formatEvent, isWarning } from "./event-line.ts";

/** A log of the server's events for files and journals: time in UTC, level, one line each. */
export function createEventLog(write: (line: string) => void): (event: StampedEvent) => void {
  const log = createConsola({
    reporters: [
      {
        log({ date, type, args }) {
          write(`${date.toISOString()} ${type.padEnd(4)} ${args.join(" ")}`);
        },
      },
    ],
    // Every event matters: consola would merge repeated ones, and be silent where TEST or CI is set.
    throttle: 0,
    level: LogLevels.info,
  });
  return (event) => {
    if (isWarning(event)) log.warn(formatEvent(event));
    else log.info(formatEvent(event));
  };
}
