import { join } from "node:path";
import { openCommserver } from "../peers/commserver.ts";
import { FILE } from "../peers/peer.ts";
import type { RoundAnswer } from "../probes/answer-rounds.ts";
import { Probe } from "../support/probe.ts";
import { runClient } from "../support/run-client.ts";
import { makeFile } from "../support/sample-data.ts";
import { Workspace } from "../support/workspace.ts";
import {
  formatBytes,
  placeOf,
  type TransferContext,
  type TransferMeasurement,
  type TransferOutcome,
} from "./transfer.ts";

const DOWNLOADS = 2;
/** With pauses, for the reason that round-trip-download.ts gives. */
const ROUND = { count: 500, pauseMs: 4 };

/** A message and its answer, with nothing beside it and then while two clients fetch as fast as they can. */
export const messagesBesideDownloads: TransferMeasurement = {
  name: "messages-beside-downloads",
  title: "messages beside two downloads",
  async run(context: TransferContext): Promise<TransferOutcome> {
    const { programs, rounds, sizes } = context;
    using workspace = Workspace.create(sizes.file);
    makeFile(join(workspace.served, FILE), sizes.file);
    // Twice as many, since the seat of a download that has just ended may not be free yet for the next one.
    const options = { workspace, programs, writable: false, clients: 2 * DOWNLOADS + 1 };
    await using server = await openCommserver(options);
    await using messages = await Probe.start("message-probe", context, { args: [server.port, "hello"] });
    const fetchOnce = () => runClient(server.operations.discard(FILE), { home: workspace.home });
    const measure = async () => {
      const answers: RoundAnswer[] = [];
      await messages.ask(ROUND);
      while (answers.length < rounds) answers.push(await messages.ask(ROUND));
      return answers;
    };

    await fetchOnce();
    const idle = await measure();
    let measuring = true;
    let bytes = 0;
    const startedAt = performance.now();
    const downloads = Array.from({ length: DOWNLOADS }, async () => {
      while (measuring) {
        await fetchOnce();
        bytes += sizes.file;
      }
    });
    const stopDownloads = () => {
      measuring = false;
    };
    const [busy] = await Promise.all([measure().finally(stopDownloads), ...downloads]);
    const rate = bytes / 1e9 / ((performance.now() - startedAt) / 1000);

    const rows = (key: keyof RoundAnswer) => [
      { name: "nothing beside", samples: idle.map((answer) => answer[key] / 1000) },
      { name: "two downloads beside", samples: busy.map((answer) => answer[key] / 1000) },
    ];
    const kind = { unit: "ms", better: "lower" } as const;
    return {
      data: `${ROUND.count} messages a round; downloads of ${formatBytes(sizes.file)} that are thrown away, ${placeOf(workspace)}`,
      rounds,
      comparisons: [
        { what: "round trip, median", ...kind, rows: rows("medianUs") },
        { what: "round trip, p99", ...kind, rows: rows("p99Us") },
      ],
      notes: [`both downloads together meanwhile: ${rate.toFixed(2)} GB/s`],
    };
  },
};
