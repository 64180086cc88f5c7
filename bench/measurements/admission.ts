import { BenchServer } from "../support/bench-server.ts";
import { Probe } from "../support/probe.ts";
import { SAMPLE_REPOSITORY } from "../support/sample-repository.ts";
import { median } from "../support/statistics.ts";
import type { Context, Measurement, Outcome } from "./measurement.ts";

const WARM_UP = { count: 300, parallel: 1 };
const ALONE = { count: 300, parallel: 1 };
const PARALLEL = 16;
const TOGETHER = { count: 1_000, parallel: PARALLEL };

interface Admissions {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly allMs: number;
}

/** From the first byte of TCP to WELCOME: TLS 1.3 and the proof of a token. */
export const admission: Measurement = {
  name: "admission",
  title: "admission: TCP, TLS, proof of the token",
  async run(context: Context): Promise<Outcome> {
    const options = { repository: SAMPLE_REPOSITORY, maxClients: 2 * PARALLEL, isSecure: true };
    await using server = await BenchServer.start(context, options);
    await using probe = await Probe.start("admission-probe", context, { args: [server.inviteFile] });
    await probe.ask(WARM_UP);
    const alone: Admissions[] = [];
    const together: Admissions[] = [];
    for (let round = 0; round < context.rounds; round++) {
      alone.push(await probe.ask(ALONE));
      together.push(await probe.ask(TOGETHER));
    }
    const perAdmission = together.map(({ allMs }) => allMs / TOGETHER.count);
    return {
      figures: [
        {
          what: "one after the other, median",
          value: median(alone.map(({ medianMs }) => medianMs)),
          unit: "ms",
          goal: 15,
        },
        { what: "one after the other, p99", value: median(alone.map(({ p99Ms }) => p99Ms)), unit: "ms" },
        // At least 300 in a second.
        { what: `${PARALLEL} at once, time for each`, value: median(perAdmission), unit: "ms", goal: 3.3 },
      ],
    };
  },
};
