import { toJson } from "../escape.ts";
import { integerFlag } from "../flags.ts";
import { plural } from "../format.ts";
import type { Command } from "../program.ts";
import { CONNECTION_FLAGS, withClient } from "./connection.ts";

export const ping: Command = {
  description: "Measure the round-trip time to the server",
  args: {
    count: { type: "string", alias: "c", valueHint: "N", default: "4", description: "How many times" },
    ...CONNECTION_FLAGS,
  },
  run: (flags, io) =>
    withClient(flags, io, async (client) => {
      const count = integerFlag(flags, "count", 1, 100_000);
      const times: number[] = [];
      for (let index = 0; index < count; index++) times.push(await client.ping());
      times.sort((a, b) => a - b);
      const min = times[0] as number;
      const median = times[Math.floor(times.length / 2)] as number;
      const max = times.at(-1) as number;
      await io.out(
        flags["json"]
          ? `${toJson({ count, minMs: min, medianMs: median, maxMs: max })}\n`
          : `${plural(count, "round trip")}: ${formatMs(min)} at least, ${formatMs(median)} median, ${formatMs(max)} at most\n`,
      );
      return 0;
    }),
};

export function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(3) : ms.toFixed(1)} ms`;
}
