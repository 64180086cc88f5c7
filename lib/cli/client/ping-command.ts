import type { Client } from "../../client/client.ts";
import type { Command } from "../command.ts";
import { toJson } from "../escape.ts";
import { integerFlag } from "../flag-values.ts";
import type { Flags } from "../flags.ts";
import { plural } from "../format.ts";
import { CONNECTION_FLAGS, readConnectSettings } from "./connect-settings.ts";
import { withClient } from "./with-connection.ts";

export const ping: Command = {
  description: "Measure the round-trip time to the server",
  args: {
    count: { type: "string", alias: "c", valueHint: "N", default: "4", description: "Number of round trips" },
    ...CONNECTION_FLAGS,
  },
  async run(flags, io) {
    const count = countOf(flags);
    const settings = await readConnectSettings(flags);
    return withClient(settings, io, async (client) => {
      const times = await measure(client, count);
      await io.out(settings.isJson ? `${toJson(times)}\n` : `${formatTimes(times)}\n`);
      return 0;
    });
  },
};

/** The number of round trips. @throws UsageError */
export function countOf(flags: Flags): number {
  return integerFlag(flags, "count", 1, 100_000);
}

interface RoundTrips {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

/** `count` round trips, one after the other, until `signal` aborts. */
export async function measure(client: Client, count: number, signal?: AbortSignal): Promise<RoundTrips> {
  const times: number[] = [];
  while (times.length < count && signal?.aborted !== true) times.push(await client.ping());
  times.sort((a, b) => a - b);
  const [minMs = 0] = times;
  return { count: times.length, minMs, medianMs: times[Math.floor(times.length / 2)] ?? 0, maxMs: times.at(-1) ?? 0 };
}

export function formatTimes({ count, minMs, medianMs, maxMs }: RoundTrips): string {
  if (count === 1) return formatMs(medianMs);
  const [min, median, max] = [minMs, medianMs, maxMs].map(formatMs);
  return `${plural(count, "round trip")}: ${min} at least, ${median} median, ${max} at most`;
}

function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(3) : ms.toFixed(1)} ms`;
}
