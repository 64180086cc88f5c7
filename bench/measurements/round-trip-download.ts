import { closeSync, ftruncateSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { RoundAnswer } from "../probes/answer-rounds.ts";
import { BenchServer } from "../support/bench-server.ts";
import { Probe } from "../support/probe.ts";
import { start } from "../support/processes.ts";
import { median } from "../support/statistics.ts";
import type { Context, Measurement, Outcome } from "./measurement.ts";

const FILE = "large.bin";
const FILE_BYTES = 2 * 1024 ** 3;
/**
 * With pauses: without them, the messages would mostly hit the server's idle moments, while people hit idle and busy
 * ones in proportion to their length.
 */
const ROUND = { count: 1_000, pauseMs: 4 };

/** A message and its answer while another client of the same server fetches a file as fast as it can. */
export const roundTripDownload: Measurement = {
  name: "round-trip-download",
  title: "message round trip beside a download",
  async run(context: Context): Promise<Outcome> {
    const repository = makeRepository(context.folder);
    await using server = await BenchServer.start(context, { repository, maxClients: 2 });
    await using messages = await Probe.start("message-probe", context, { args: [server.port, "hello"] });
    const fetchOnce = () => download(context.programs.client, server.address);
    await fetchOnce(); // the file is in the page cache now

    const answers: RoundAnswer[] = [];
    const speeds: number[] = [];
    let measuring = true;
    const keepDownloading = async () => {
      while (measuring) speeds.push(await fetchOnce());
    };
    const measure = async () => {
      await messages.ask(ROUND);
      for (let round = 0; round < context.rounds; round++) answers.push(await messages.ask(ROUND));
      measuring = false;
    };
    await Promise.all([keepDownloading(), measure()]);
    return {
      figures: [
        { what: "median", value: median(answers.map((answer) => answer.medianUs)) / 1000, unit: "ms" },
        { what: "p99", value: median(answers.map((answer) => answer.p99Us)) / 1000, unit: "ms", goal: 10 },
        { what: "the download meanwhile", value: median(speeds), unit: "MB/s" },
      ],
    };
  },
};

/** A sparse file: it costs no disk, and the server can't tell. */
function makeRepository(folder: string): string {
  const repository = join(folder, "large");
  mkdirSync(repository);
  const file = openSync(join(repository, FILE), "w");
  ftruncateSync(file, FILE_BYTES);
  closeSync(file);
  return repository;
}

/** Fetch the file once with the compiled client and throw it away. @returns megabytes a second */
async function download(client: string, address: string): Promise<number> {
  const startedAt = performance.now();
  const child = start([client, "get", FILE, "--output", "-", "--server", address, "--plaintext"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`the download ended with ${child.exitCode}`);
  return FILE_BYTES / 1e6 / ((performance.now() - startedAt) / 1000);
}
