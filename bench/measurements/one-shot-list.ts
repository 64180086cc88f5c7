import { BenchServer } from "../support/bench-server.ts";
import { start } from "../support/processes.ts";
import { SAMPLE_REPOSITORY } from "../support/sample-repository.ts";
import { median } from "../support/statistics.ts";
import type { Context, Measurement, Outcome } from "./measurement.ts";

const RUNS = 20;

/** `commserver-client list` as a person experiences it: from the start of the program. */
export const oneShotList: Measurement = {
  name: "one-shot-list",
  title: "one-shot list",
  async run(context: Context): Promise<Outcome> {
    await using server = await BenchServer.start(context, {
      repository: SAMPLE_REPOSITORY,
      maxClients: 3,
      isSecure: true,
    });
    const run = () => listOnce(context.programs.client, server.inviteFile);
    await run(); // the program is in the page cache now
    const times: ListTimes[] = [];
    while (times.length < RUNS) times.push(await run());
    return {
      figures: [
        { what: "start to first output", value: median(times.map((time) => time.firstMs)), unit: "ms" },
        { what: "start to exit", value: median(times.map((time) => time.exitMs)), unit: "ms", goal: 150 },
      ],
    };
  },
};

interface ListTimes {
  readonly firstMs: number;
  readonly exitMs: number;
}

async function listOnce(client: string, inviteFile: string): Promise<ListTimes> {
  const startedAt = performance.now();
  const child = start([client, "list", "--invite-file", inviteFile], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let firstMs: number | undefined;
  for await (const _ of child.stdout) firstMs ??= performance.now() - startedAt;
  const exitCode = await child.exited;
  const exitMs = performance.now() - startedAt;
  if (exitCode !== 0 || firstMs === undefined) throw new Error(`list ended with ${exitCode}`);
  return { firstMs, exitMs };
}
